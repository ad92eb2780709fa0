-- The columns of traffic.sensors that an import can describe and that have no period.
name, road, direction, milepost, latitude, longitude, station_id
