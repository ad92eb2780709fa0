-- The key of raw_events includes ingested_at, so the key alone allows an offset twice.
select 'raw_events' as table_name,
       json_build_object('topic_no', topic_no, 'partition', partition, 'offset', "offset") as key,
       'one row' as expected,
       format('%%s, of batches %%s', count(*), string_agg(batch_id::text, ' and ' order by batch_id))
           as found
from traffic.raw_events
group by topic_no, partition, "offset"
having count(*) > 1
order by topic_no, partition, "offset"
limit %(limit)s
