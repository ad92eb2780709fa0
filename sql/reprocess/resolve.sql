update traffic.quarantined_events q
set resolved_at = %(moment)s, resolution = %(resolution)s
from pg_temp.event_changes c
where c.kind = 'enter'
  and q.topic_no = c.topic_no and q.partition = c.partition and q."offset" = c."offset"
  and q.event_no = c.event_no
