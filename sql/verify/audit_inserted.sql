-- Every reading was inserted by exactly one audited event.
select 'micro_batches' as table_name, json_build_object('batch_id', 'all') as key,
       format('inserted adding up to %%s, the rows in traffic_readings', readings.rows) as expected,
       audited.inserted::text as found
from (select count(*) as rows from traffic.traffic_readings) readings,
     (select coalesce(sum(inserted), 0)::bigint as inserted from traffic.micro_batches) audited
where readings.rows <> audited.inserted
limit %(limit)s
