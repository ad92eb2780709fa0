-- Start of the newest five minutes with readings (seconds since 1970), and the number of lost offsets
-- that nobody has acknowledged.
select extract(epoch from (select max(bucket) from traffic.readings_5min))::double precision,
       (select coalesce(sum(next_offset - first_offset), 0)::bigint from traffic.lost_ranges
        where acknowledged_at is null)
