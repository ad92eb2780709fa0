-- Only events of the raw topic are published, each once. The backfill lock excludes other numbering.
with replayed as (
    select k.topic_no, k.partition, k."offset", k.event_no
    from unnest(%(topic_no)s::smallint[], %(partition)s::integer[], %(offset)s::bigint[],
                %(event_no)s::smallint[])
         as k (topic_no, partition, "offset", event_no)
    join traffic.topics t on t.topic_no = k.topic_no and t.name = %(raw_topic)s
    -- An event that a backfill had removed has been published, or has its number.
    where not exists (
        select from traffic.rebuilt_events r
        where r.topic_no = k.topic_no and r.partition = k.partition and r."offset" = k."offset"
          and r.event_no = k.event_no and r.was = 'processed'
    )
), newest as materialized (
    -- Earlier versions moved the position beyond the numbers after a restore.
    select place.topic_no, place.partition, greatest(
               (select max(r.replay_no) from traffic.replayed_events r
                where r.topic_no = place.topic_no and r.partition = place.partition),
               (select p.next_position - 1 from traffic.publications p
                where p.topic_no = place.topic_no and p.partition = place.partition
                  and p.route = 'replays')
           ) as replay_no
    from (select distinct topic_no, partition from replayed) place
)
insert into traffic.replayed_events (topic_no, partition, replay_no, "offset", event_no, batch_id)
select topic_no, partition,
       coalesce(n.replay_no, 0)
           + row_number() over (partition by topic_no, partition order by k."offset", k.event_no),
       k."offset", k.event_no, %(batch_id)s
from replayed k
join newest n using (topic_no, partition)
