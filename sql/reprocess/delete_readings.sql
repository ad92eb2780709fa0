-- Returns each reading with the generation whose recorded change removed its event; null for a repair.
-- The bounds add no condition. They keep PostgreSQL from reading every month while ingest runs wait.
with gone as (
    delete from traffic.traffic_readings r
    using pg_temp.reading_changes c
    where c.topic_no is null and r.sensor_id = c.sensor_id and r."timestamp" = c."timestamp"
      and r."timestamp" >= (
          select min("timestamp") from pg_temp.reading_changes where topic_no is null
      )
      and r."timestamp" <= (
          select max("timestamp") from pg_temp.reading_changes where topic_no is null
      )
    returning r.sensor_id, r."timestamp"
), counted as (
    insert into traffic.reading_changes (start, added)
    select to_timestamp(floor(date_part('epoch', "timestamp") / 10) * 10), -count(*)
    from gone
    group by 1
), lost as (
    select distinct on (was_sensor_id, was_timestamp) was_sensor_id as sensor_id,
           was_timestamp as "timestamp", topic_no, partition
    from pg_temp.event_changes
    where recorded and was_sensor_id is not null
)
select sensor_id, "timestamp", topic_no, partition
from gone
left join lost using (sensor_id, "timestamp")
