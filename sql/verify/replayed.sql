select "offset", replay_no
from traffic.replayed_events
where topic_no = %(topic_no)s and partition = %(partition)s
order by "offset", event_no
