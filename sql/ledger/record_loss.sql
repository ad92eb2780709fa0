insert into traffic.lost_ranges (topic_no, partition, first_offset, next_offset, cause)
values (%(topic_no)s, %(partition)s, %(first_offset)s, %(next_offset)s, %(cause)s)
on conflict (topic_no, partition, first_offset) do nothing
