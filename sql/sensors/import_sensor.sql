insert into traffic.sensors
    (sensor_id, external_id, name, road, direction, lanes, milepost, length_mi,
     latitude, longitude, station_id, interval_s, free_flow_mph, rural, origin)
values
    (%(sensor_id)s, %(external_id)s, %(name)s, %(road)s, %(direction)s, %(lanes)s, %(milepost)s,
     %(length_mi)s, %(latitude)s, %(longitude)s, %(station_id)s, %(interval_s)s,
     %(free_flow_mph)s, %(rural)s, 'imported')
on conflict (sensor_id) do update set
    name = excluded.name,
    road = excluded.road,
    direction = excluded.direction,
    lanes = excluded.lanes,
    milepost = excluded.milepost,
    length_mi = excluded.length_mi,
    latitude = excluded.latitude,
    longitude = excluded.longitude,
    station_id = excluded.station_id,
    interval_s = excluded.interval_s,
    free_flow_mph = excluded.free_flow_mph,
    rural = excluded.rural,
    origin = 'imported'
