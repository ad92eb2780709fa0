select table_name, lower_bound, upper_bound, next_offset
from traffic.dropped_rows
where topic_no = %(topic_no)s and partition = %(partition)s
