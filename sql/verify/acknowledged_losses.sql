select count(*) from traffic.lost_ranges where acknowledged_at is not null
