select count(*) from pg_temp.rebuilt_outcomes where event_date = %(day)s and sensor_id is not null
