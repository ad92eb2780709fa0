-- The readings of the sensor `s` in `span` without any gap, each period by its interval; null where one of
-- them is unknown. A row with several periods shows the interval of the last one. Most rows lie in the
-- current period, which traffic.sensors shows; for these the look-ups are not run.
               case when span.first >= s.valid_from then
                   span.seconds / coalesce(s.interval_s, s.inferred_interval_s)::double precision
               else (
                   select case when bool_and(t.interval_s is not null) then
                              sum(span.seconds
                                  * extract(epoch from least(t.valid_until, span.until)
                                                       - greatest(t.valid_from, span.first))
                                      ::double precision
                                  / extract(epoch from span.until - span.first)::double precision
                                  / t.interval_s::double precision)
                          end
                   from traffic.sensor_timeline t
                   where t.sensor_id = s.sensor_id
                     and t.valid_from < span.until and t.valid_until > span.first
               ) end as expected_samples,
               case when span.until > s.valid_from then
                   coalesce(s.interval_s, s.inferred_interval_s)
               else (
                   select coalesce(l.interval_s, l.inferred_interval_s)
                   from traffic.sensor_periods l
                   where l.sensor_id = s.sensor_id and l.valid_from < span.until
                   order by l.valid_from desc
                   limit 1
               ) end as interval_s,
