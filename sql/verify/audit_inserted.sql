-- Each reading, also a dropped one, was inserted by exactly one audited event.
select 'micro_batches' as table_name, json_build_object('batch_id', 'all') as key,
       format('inserted adding up to %%s, the rows in traffic_readings and those dropped', readings.rows) as expected,
       audited.inserted::text as found
from (
         select (select count(*) from traffic.traffic_readings) + coalesce(sum(rows), 0) as rows
         from traffic.dropped_rows
         where table_name = 'traffic_readings'
     ) readings,
     (select coalesce(sum(inserted), 0)::bigint as inserted from traffic.micro_batches) audited
where readings.rows <> audited.inserted
limit %(limit)s
