-- Whether readings of now arrive.
select exists (
    select 1 from traffic.traffic_readings where "timestamp" > now() - interval '10 minutes'
);
