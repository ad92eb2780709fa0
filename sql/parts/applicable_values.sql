-- The values of a row of sensors or sensor_periods `s` that apply, as the view sensor_timeline has them.
               coalesce(s.interval_s, s.inferred_interval_s) as interval_s,
               case when s.length_mi between 0.001 and 1000 then s.length_mi end as length_mi,
               coalesce(case when s.free_flow_mph between 1 and 300 then s.free_flow_mph end,
                        s.inferred_free_flow_mph) as free_flow_mph
