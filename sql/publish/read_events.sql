-- Events of some batches in the order of their generations, each column as one byte string, big endian,
-- which numpy reads in one call. The last column marks null measures.
select coalesce(string_agg(int2send(p.topic_no), ''), ''),
       coalesce(string_agg(int4send(p.partition), ''), ''),
       coalesce(string_agg(int8send(p."offset"), ''), ''),
       coalesce(string_agg(int8send(0), ''), ''),
       coalesce(string_agg(uuid_send(p.sensor_id), ''), ''),
       coalesce(string_agg(timestamptz_send(p."timestamp"), ''), ''),
       --| measures coalesce(string_agg({send}(coalesce(p.{m}, 0)), ''), ''),
       coalesce(string_agg(float8send(p.quality_score), ''), ''),
       coalesce(string_agg(int2send(
           (
               --| measures[ +] case when p.{m} is null then {bit} else 0 end
           )::smallint), ''), '')
from (
    select *
    from traffic.processed_events
    where batch_id = any(%(batches)s) and topic_no = any(%(topic_nos)s)
      -- The partitions of the batches' dates, in any time zone.
      and "timestamp" >= %(first_date)s::date - 1 and "timestamp" < %(last_date)s::date + 2
    order by topic_no, partition, "offset", event_no
) p
