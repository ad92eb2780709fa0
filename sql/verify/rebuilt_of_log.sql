-- Messages of a generation that backfills decided again; true if the last one had other rules than
-- today's.
select distinct on (r."offset") r."offset", b.rules_version <> %(rules_version)s
from traffic.rebuilt_events r
join traffic.micro_batches b using (batch_id, topic_no, partition)
where r.topic_no = %(topic_no)s and r.partition = %(partition)s
order by r."offset", r.batch_id desc
