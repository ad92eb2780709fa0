-- Reprocessed events after some positions; columns as in read_events. The rows are found by the batches
-- of reprocessing and their dates.
with numbered as materialized (
    select r.*
    from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
         as w (topic_no, partition, position)
    cross join lateral (
        select *
        from traffic.replayed_events r
        where r.topic_no = w.topic_no and r.partition = w.partition and r.replay_no >= w.position
        order by r.replay_no
        limit %(messages)s
    ) r
), batches as materialized (
    select array_agg(distinct batch_id) as ids from numbered
), dates as materialized (
    select min(d) as first, max(d) as last
    from traffic.micro_batches b, batches, unnest(b.event_dates) d
    where b.batch_id = any (batches.ids)
), events as materialized (
    select p.*
    from traffic.processed_events p
    where p.batch_id = any ((select ids from batches)::bigint[])
      and p."timestamp" >= (select first - 1 from dates)
      and p."timestamp" < (select last + 2 from dates)
)
select coalesce(string_agg(int2send(p.topic_no), ''), ''),
       coalesce(string_agg(int4send(p.partition), ''), ''),
       coalesce(string_agg(int8send(p."offset"), ''), ''),
       coalesce(string_agg(int8send(p.replay_no), ''), ''),
       coalesce(string_agg(uuid_send(p.sensor_id), ''), ''),
       coalesce(string_agg(timestamptz_send(p."timestamp"), ''), ''),
       --| measures coalesce(string_agg({send}(coalesce(p.{m}, 0)), ''), ''),
       coalesce(string_agg(float8send(p.quality_score), ''), ''),
       coalesce(string_agg(int2send(
           (
               --| measures[ +] case when p.{m} is null then {bit} else 0 end
           )::smallint), ''), '')
from (
    select n.replay_no, e.*
    from numbered n
    join events e using (topic_no, partition, "offset", event_no, batch_id)
    order by e.topic_no, e.partition, n.replay_no
) p
