-- Size of the partitions of readings (by month, UTC) that overlap [begin, end).
select coalesce(sum(pg_relation_size(
           to_regclass('traffic.traffic_readings_' || to_char(month, 'YYYYMM'))
       )), 0)::bigint as bytes
from generate_series(
    date_trunc('month', %(begin)s::timestamptz at time zone 'UTC'),
    %(end)s::timestamptz at time zone 'UTC',
    interval '1 month'
) month
