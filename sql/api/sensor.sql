-- A sensor and its newest reading, by the primary key.
select s.sensor_id, s.external_id, s.name, s.road, s.direction, s.lanes, s.milepost, s.length_mi,
       s.latitude, s.longitude, s.station_id,
       coalesce(s.interval_s, s.inferred_interval_s)::double precision as interval_s,
       coalesce(s.free_flow_mph, s.inferred_free_flow_mph) as free_flow_mph,
       s.rural, s.retired, nullif(s.valid_from, '-infinity') as valid_from, s.origin, s.registered_at, newest.reading as newest_reading
from traffic.sensors s
left join lateral (
    select traffic.reading_json(r.sensor_id, r."timestamp",
                                --| measures r.{m},
                                r.quality_score) as reading
    from traffic.traffic_readings r
    where r.sensor_id = s.sensor_id
    order by r."timestamp" desc
    limit 1
) newest on true
where s.sensor_id = %(sensor_id)s
