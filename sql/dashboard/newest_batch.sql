-- Where a reader of batches begins: so far back that what is still being committed lies behind it.
select coalesce(max(batch_id), 0) as newest,
       coalesce((select min(batch_id)
                 from (select batch_id, committed_at
                       from traffic.micro_batches
                       order by batch_id desc
                       limit 5000) recent
                 where committed_at > now() - interval '60 seconds'), max(batch_id) + 1, 1) as first
from traffic.micro_batches
