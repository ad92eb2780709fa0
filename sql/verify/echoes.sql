select coalesce(sum(echoes), 0)::bigint
from traffic.micro_batches
where topic_no = %(topic_no)s and partition = %(partition)s
