-- The readings of the sensor of `d` in `span` without any gap, each period by its interval; null where one
-- of them is unknown. A row with several periods shows the interval of the last one. Most rows lie in the
-- current period, which traffic.sensors shows.
        join traffic.sensors s on s.sensor_id = d.sensor_id
        cross join lateral (
            select span.seconds / coalesce(s.interval_s, s.inferred_interval_s)::double precision
                       as expected_samples,
                   coalesce(s.interval_s, s.inferred_interval_s) as interval_s
            where span.first >= s.valid_from
            union all
            select case when bool_and(t.interval_s is not null) then
                       sum(span.seconds
                           * extract(epoch from least(t.valid_until, span.until)
                                                - greatest(t.valid_from, span.first))
                               ::double precision
                           / extract(epoch from span.until - span.first)::double precision
                           / t.interval_s::double precision)
                   end,
                   (array_agg(t.interval_s order by t.valid_from desc))[1]
            from traffic.sensor_timeline t
            where t.sensor_id = d.sensor_id
              and t.valid_from < span.until and t.valid_until > span.first
            having span.first < s.valid_from
        ) c
