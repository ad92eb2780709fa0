-- The time for which the 5-minute row `f` knows the travel (ms). A reading may cover more than its bucket.
                       f.observed * greatest(300000, (f.interval_s * 1000)::bigint) as observed_ms
