-- The time for which the 5-minute row `f` knows the travel (s). A reading may cover more than its bucket.
                       f.observed * case when f.interval_s > 300 then f.interval_s::double precision
                                         else 300 end as observed_s
