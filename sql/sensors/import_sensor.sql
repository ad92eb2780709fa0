insert into traffic.sensors (sensor_id, external_id, origin,
--| parts/sensor_description
)
values
    (%(sensor_id)s, %(external_id)s, 'imported', %(name)s, %(road)s, %(direction)s, %(lanes)s,
     %(milepost)s, %(length_mi)s, %(latitude)s, %(longitude)s, %(station_id)s, %(interval_s)s,
     %(free_flow_mph)s, %(rural)s)
on conflict (sensor_id) do update
set (origin,
--| parts/sensor_description
    ) = row (excluded.origin, excluded.name, excluded.road, excluded.direction, excluded.lanes,
             excluded.milepost, excluded.length_mi, excluded.latitude, excluded.longitude,
             excluded.station_id, excluded.interval_s, excluded.free_flow_mph, excluded.rural)
