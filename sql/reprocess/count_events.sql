-- Changes by kind, with the number of each that move to another date.
select c.kind, count(*),
       (select count(*)
        from pg_temp.event_changes m
        join pg_temp.rebuilt_outcomes o using (topic_no, partition, "offset", event_no)
        where c.kind = 'change' and m.kind = 'change'
          and (m.was_date <> %(day)s or o.event_date <> %(day)s))
from pg_temp.event_changes c
group by c.kind
