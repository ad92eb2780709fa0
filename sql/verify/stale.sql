-- Batches that other rules than today's decided: decoding their messages again may differ.
select rules_version, count(distinct batch_id), sum(raw)::bigint, min(batch_id), max(batch_id)
from traffic.micro_batches
where rules_version <> %(rules_version)s and raw > 0
group by rules_version
order by min(batch_id)
