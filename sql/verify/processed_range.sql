-- Columns of a range of offsets, each as one string of big-endian bytes, which numpy reads at once. COPY
-- would send row by row. A bit marks each null measure. Rows are found by the batches that advanced the
-- ledger over the range, and by the reprocessings and backfills that stored events of it.
with first_batch as (
    select coalesce(max(first_offset), %(begin)s) as first_offset
    from traffic.micro_batches
    where topic_no = %(topic_no)s and partition = %(partition)s and first_offset <= %(begin)s
      and kind = 'ingest'
), batches as (
    select min(b.batch_id) as first, max(coalesce(b.last_batch_id, b.batch_id)) as last
    from traffic.micro_batches b, first_batch f
    where b.topic_no = %(topic_no)s and b.partition = %(partition)s
      and b.first_offset >= f.first_offset and b.first_offset < %(end)s
      and b.kind = 'ingest'
)
select coalesce(string_agg(int8send(p."offset"), ''), ''),
       coalesce(string_agg(uuid_send(p.sensor_id), ''), ''),
       coalesce(string_agg(timestamptz_send(p."timestamp"), ''), ''),
       --| measures coalesce(string_agg({send}(coalesce(p.{m}, 0)), ''), ''),
       coalesce(string_agg(float8send(p.quality_score), ''), ''),
       coalesce(string_agg(int2send(p.quality_flags), ''), ''),
       coalesce(string_agg(int2send(p.format), ''), ''),
       coalesce(string_agg(int2send(
           (
               --| measures[ +] case when p.{m} is null then {bit} else 0 end
           )::smallint), ''), ''),
       coalesce(string_agg(int8send(p.batch_id), ''), ''),
       coalesce(string_agg(int2send(p.event_no), ''), ''),
       coalesce(string_agg(float8send(coalesce(p.interval_s, 0)::double precision), ''), ''),
       coalesce(string_agg(int2send((p.interval_s is null)::integer::smallint), ''), '')
from (
    select *
    from traffic.processed_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(begin)s and "offset" < %(end)s
      and (
          batch_id between (select first from batches) and (select last from batches)
          or batch_id = any (array(
              select b.batch_id
              from traffic.micro_batches b
              where b.topic_no = %(topic_no)s and b.partition = %(partition)s
                and b.kind <> 'ingest'
                and b.first_offset < %(end)s and b.next_offset > %(begin)s
          ))
      )
    order by "offset", event_no
) p
