-- All messages stored of one log. Times as PostgreSQL sends them (microseconds since 2000, big
-- endian), which numpy reads in one go.
select "offset", value, key, headers, timestamptz_send(broker_timestamp),
       timestamptz_send(ingested_at)
from traffic.raw_events
where topic_no = %(topic_no)s and partition = %(partition)s
  and "offset" >= %(start_offset)s and "offset" < %(next_offset)s
order by "offset"
