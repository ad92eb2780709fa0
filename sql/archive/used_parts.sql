-- Files that hold rows of a day which were dropped: never to be written again.
select distinct unnest(archives)
from traffic.dropped_rows
where table_name = 'raw_events' and lower_bound = %(lower)s
