-- Bytes of the largest message of a day.
select max(coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0))
from traffic.raw_events
where ingested_at >= %(lower)s and ingested_at < %(upper)s
