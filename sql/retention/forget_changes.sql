delete from traffic.reading_changes where start >= %(lower)s and start < %(upper)s
