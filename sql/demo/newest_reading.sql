-- True if a reading of the last 10 minutes is stored.
select exists (
    select 1 from traffic.traffic_readings where "timestamp" > now() - interval '10 minutes'
);
