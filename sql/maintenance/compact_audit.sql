-- Compacts the next closed audit rows of a generation. Consecutive rows of ingest without a gap, of one
-- hour, one local day and one rules version, become one row with their sums. Rows from before order
-- times were kept stay apart from later ones. A row joins the row before
-- it only when no other audit row of the generation has a number between theirs. Returns the numbers of
-- removed and of added rows, and the offset to continue at (null: no closed row is left).
with candidate as (
    select b.*
    from traffic.micro_batches b
    where b.topic_no = %(topic_no)s and b.partition = %(partition)s and b.kind = 'ingest'
      and b.first_offset >= %(from_offset)s and b.next_offset > b.first_offset
    order by b.first_offset
    limit %(most)s
), closed as (
    select batch_id, coalesce(last_batch_id, batch_id) as last_batch_id, first_offset, next_offset,
           rules_version, date_trunc('hour', committed_at, 'UTC') as hour,
           (committed_at at time zone %(timezone)s)::date as day, order_floor is null as unordered,
           bool_and(committed_at < %(before)s and next_offset <= %(published)s)
               over (order by first_offset) as closed
    from candidate
), ordered as (
    select *,
           lag(last_batch_id) over following as before_id,
           first_offset is distinct from lag(next_offset) over following
           or rules_version is distinct from lag(rules_version) over following
           or hour is distinct from lag(hour) over following
           or day is distinct from lag(day) over following
           or unordered is distinct from lag(unordered) over following as differs
    from closed
    where closed
    window following as (order by first_offset)
), marked as (
    select o.*,
           o.differs or o.before_id is null or o.before_id >= o.batch_id or exists (
               select from traffic.micro_batches other
               where other.topic_no = %(topic_no)s and other.partition = %(partition)s
                 and other.batch_id > o.before_id and other.batch_id < o.batch_id
           ) as begins
    from ordered o
), numbered as (
    select *, count(*) filter (where begins) over (order by first_offset) as run
    from marked
), run as (
    select run, count(*) as rows, max(next_offset) as next_offset,
           -- The limit may cut the last run. That run waits, unless it is the only one.
           run = max(run) over () and run > 1
           and sum(count(*)) over () = %(most)s as cut
    from numbered
    group by run
), gone as (
    delete from traffic.micro_batches b
    using numbered n join run r using (run)
    where b.topic_no = %(topic_no)s and b.partition = %(partition)s and b.batch_id = n.batch_id
      and r.rows > 1 and not r.cut
    returning b.*, n.run
), counted as (
    select run, day, jsonb_object_agg(name, number) as numbers
    from (
        select g.run, d.key as day, c.key as name, sum(c.value::bigint)::bigint as number
        from gone g
        cross join lateral jsonb_each(g.date_counts) d
        cross join lateral jsonb_each_text(d.value) c
        group by g.run, d.key, c.key
    ) each
    group by run, day
), dates as (
    select run, array_agg(day::date order by day) as event_dates,
           jsonb_object_agg(day, numbers) as date_counts
    from counted
    group by run
), dropped as (
    select run, jsonb_object_agg(day, rows) as rows
    from (
        select g.run, d.key as day, sum(d.value::bigint)::bigint as rows
        from gone g cross join lateral jsonb_each_text(g.dropped_processed) d
        group by g.run, d.key
    ) each
    group by run
), ran as (
    select run, array_agg(distinct id order by id) as ids
    from gone g
    cross join lateral unnest(coalesce(g.run_ids, array[g.run_id])) as id
    where id is not null
    group by run
), summed as (
    select run, min(batch_id) as batch_id, max(coalesce(last_batch_id, batch_id)) as last_batch_id,
           sum(batches)::integer as batches, min(first_offset) as first_offset,
           max(next_offset) as next_offset, sum(delivered)::bigint as delivered,
           sum(raw)::bigint as raw, sum(processed)::bigint as processed,
           sum(quarantined)::bigint as quarantined, sum(echoes)::bigint as echoes,
           sum(inserted)::bigint as inserted, sum(updated)::bigint as updated,
           sum(unchanged)::bigint as unchanged, sum(superseded)::bigint as superseded,
           min(order_floor) as order_floor, min(rules_version) as rules_version,
           case when count(distinct coalesce(run_id, '')) = 1 then min(run_id) end as run_id,
           max(committed_at) as committed_at,
           min(coalesce(first_committed_at, committed_at)) as first_committed_at,
           sum(dropped_raw)::bigint as dropped_raw
    from gone
    group by run
), come as (
    insert into traffic.micro_batches
        (batch_id, last_batch_id, batches, topic_no, partition, first_offset, next_offset, delivered,
         raw, processed, quarantined, echoes, inserted, updated, unchanged, superseded, order_floor,
         event_dates, date_counts, rules_version, run_id, run_ids, kind, committed_at, first_committed_at, dropped_raw,
         dropped_processed)
    select s.batch_id, s.last_batch_id, s.batches, %(topic_no)s, %(partition)s, s.first_offset,
           s.next_offset, s.delivered, s.raw, s.processed, s.quarantined, s.echoes, s.inserted,
           s.updated, s.unchanged, s.superseded, s.order_floor, coalesce(d.event_dates, '{}'), coalesce(d.date_counts, '{}'),
           s.rules_version, s.run_id, r.ids, 'ingest', s.committed_at, s.first_committed_at,
           s.dropped_raw,
           coalesce(x.rows, '{}')
    from summed s
    left join dates d using (run)
    left join dropped x using (run)
    left join ran r using (run)
    returning 1
)
select (select count(*) from gone), (select count(*) from come),
       (select max(next_offset) from run where not cut)
