-- The replays and rebuilds that let in messages of a log, and whether by other rules than today's.
select batch_id, rules_version <> %(rules_version)s
from traffic.micro_batches
where topic_no = %(topic_no)s and partition = %(partition)s and kind <> 'ingest'
