-- The columns of traffic.sensors that an import can describe.
name, road, direction, lanes, milepost, length_mi, latitude, longitude, station_id, interval_s,
free_flow_mph, rural
