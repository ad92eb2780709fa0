-- When the newest of the events of a month arrived that were dropped.
select max(newest_arrival)
from traffic.dropped_rows
where table_name = 'processed_events' and lower_bound = %(lower)s
