-- The readings of the sensor of `d` in `span` without any gap, each period by its interval; null where one
-- of them is unknown. A row with several periods shows the interval of the last one.
        cross join lateral (
            select case when bool_and(t.interval_s is not null) then
                       sum(span.seconds
                           * extract(epoch from least(t.valid_until, span.until)
                                                - greatest(t.valid_from, span.first))
                               ::double precision
                           / extract(epoch from span.until - span.first)::double precision
                           / t.interval_s::double precision)
                   end as expected_samples,
                   (array_agg(t.interval_s order by t.valid_from desc))[1] as interval_s
            from traffic.sensor_timeline t
            where t.sensor_id = d.sensor_id
              and t.valid_from < span.until and t.valid_until > span.first
        ) c
