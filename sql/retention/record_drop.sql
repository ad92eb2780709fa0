insert into traffic.dropped_rows as r
    (table_name, lower_bound, upper_bound, topic_no, partition, next_offset, rows, newest_arrival,
     archives)
select %(parent)s, %(lower)s, %(upper)s, topic_no, partition, max(next_offset), sum(rows)::bigint,
       max(max(newest_arrival)) over (), %(archives)s::text[]
from pg_temp.dropping
group by topic_no, partition
on conflict (table_name, lower_bound, topic_no, partition) do update
set next_offset = greatest(r.next_offset, excluded.next_offset), rows = r.rows + excluded.rows,
    newest_arrival = greatest(r.newest_arrival, excluded.newest_arrival),
    archives = r.archives || excluded.archives, dropped_at = now()
