-- As quarantine/number_replayed: events of the raw topic are published in the order of these numbers,
-- unless they have been published before, which is never done twice.
with entered as (
    select c.topic_no, c.partition, c."offset"
    from pg_temp.event_changes c
    join traffic.topics t on t.topic_no = c.topic_no and t.name = %(raw_topic)s
    where c.kind = 'enter'
      and not exists (
          select from traffic.replayed_events r
          where r.topic_no = c.topic_no and r.partition = c.partition and r."offset" = c."offset"
      )
      and not exists (
          select from traffic.rebuilt_events r
          where r.topic_no = c.topic_no and r.partition = c.partition and r."offset" = c."offset"
            and r.was = 'processed'
      )
), newest as materialized (
    select place.topic_no, place.partition, greatest(
               (select max(r.replay_no) from traffic.replayed_events r
                where r.topic_no = place.topic_no and r.partition = place.partition),
               (select p.next_position - 1 from traffic.publications p
                where p.topic_no = place.topic_no and p.partition = place.partition
                  and p.route = 'replays')
           ) as replay_no
    from (select distinct topic_no, partition from entered) place
)
insert into traffic.replayed_events (topic_no, partition, replay_no, "offset", batch_id)
select topic_no, partition,
       coalesce(n.replay_no, 0)
           + row_number() over (partition by topic_no, partition order by e."offset"),
       e."offset", %(batch_id)s
from entered e
join newest n using (topic_no, partition)
