-- Files that hold dropped rows of a day. They must never be written again.
select distinct unnest(archives)
from traffic.dropped_rows
where table_name = 'raw_events' and lower_bound = %(lower)s
