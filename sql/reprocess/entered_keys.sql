select coalesce(array_agg(topic_no), '{}'), coalesce(array_agg(partition), '{}'),
       coalesce(array_agg("offset"), '{}'), coalesce(array_agg(event_no), '{}')
from pg_temp.event_changes
where kind = 'enter'
