select "offset"
from traffic.published_ahead
where route = 'events' and topic_no = %(topic_no)s and partition = %(partition)s
