-- Arrival of the newest dropped event of a month.
select max(newest_arrival)
from traffic.dropped_rows
where table_name = 'processed_events' and lower_bound = %(lower)s
