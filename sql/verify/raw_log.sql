-- All raw messages of one generation. Times are sent in PostgreSQL's binary form (microseconds since
-- 2000, big endian), which numpy reads at once.
select "offset", value, key, headers, timestamptz_send(broker_timestamp),
       timestamptz_send(ingested_at), timestamptz_send(order_time)
from traffic.raw_events
where topic_no = %(topic_no)s and partition = %(partition)s
  and "offset" >= %(start_offset)s and "offset" < %(next_offset)s
order by "offset"
