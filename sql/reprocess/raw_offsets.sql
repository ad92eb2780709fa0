select "offset"
from traffic.raw_events
where topic_no = %(topic_no)s and partition = %(partition)s
  and "offset" >= %(first_offset)s and "offset" < %(next_offset)s
