select r."offset",
       timestamptz_send(nullif(
--| parts/order_time
       , '-infinity'))
from traffic.raw_events r
where r.topic_no = %(topic_no)s and r.partition = %(partition)s
  and r."offset" >= %(first_offset)s and r."offset" < %(next_offset)s
order by r."offset"
