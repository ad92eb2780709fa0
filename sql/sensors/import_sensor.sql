insert into traffic.sensors (sensor_id, external_id, origin,
--| parts/sensor_description
)
values
    (%(sensor_id)s, %(external_id)s, 'imported', %(name)s, %(road)s, %(direction)s,
     %(milepost)s, %(latitude)s, %(longitude)s, %(station_id)s)
on conflict (sensor_id) do update
set (origin,
--| parts/sensor_description
    ) = row (excluded.origin, excluded.name, excluded.road, excluded.direction,
             excluded.milepost, excluded.latitude, excluded.longitude, excluded.station_id)
