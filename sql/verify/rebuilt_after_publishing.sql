select distinct "offset"
from traffic.rebuilt_events
where topic_no = %(topic_no)s and partition = %(partition)s and was = 'processed'
