select c.kind, count(*),
       count(*) filter (where c.kind = 'change' and (c.was_date <> %(day)s or o.event_date <> %(day)s))
from pg_temp.event_changes c
join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset")
group by c.kind
