-- Reprocessings and backfills of a generation; true if they had other rules than today's.
select batch_id, rules_version <> %(rules_version)s
from traffic.micro_batches
where topic_no = %(topic_no)s and partition = %(partition)s and kind <> 'ingest'
