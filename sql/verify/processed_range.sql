-- Columns of a range of offsets, each as one string of bytes, big endian, which numpy reads in one
-- go; COPY would hand over row by row. A null measure is marked in `nulls`.
select coalesce(string_agg(int8send(p."offset"), ''), ''),
       coalesce(string_agg(uuid_send(p.sensor_id), ''), ''),
       coalesce(string_agg(timestamptz_send(p."timestamp"), ''), ''),
       coalesce(string_agg(float8send(coalesce(p.speed, 0)), ''), ''),
       coalesce(string_agg(int4send(coalesce(p.volume, 0)), ''), ''),
       coalesce(string_agg(float8send(coalesce(p.occupancy, 0)), ''), ''),
       coalesce(string_agg(float8send(p.quality_score), ''), ''),
       coalesce(string_agg(int2send(p.quality_flags), ''), ''),
       coalesce(string_agg(int2send(p.format), ''), ''),
       coalesce(string_agg(int2send(
           (case when p.speed is null then 1 else 0 end
            + case when p.volume is null then 2 else 0 end
            + case when p.occupancy is null then 4 else 0 end)::smallint), ''), '')
from (
    select *
    from traffic.processed_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(begin)s and "offset" < %(end)s
    order by "offset"
) p
