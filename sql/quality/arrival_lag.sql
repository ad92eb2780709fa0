-- Messages fetched in [begin, end) by topic and partition, and how many of them arrived more than `late`
-- seconds after the broker's time.
select t.name as topic, lag.*
from (
    select r.topic_no, r.partition, count(*) as messages,
           count(*) filter (
               where r.ingested_at - r.broker_timestamp > make_interval(secs => %(late)s)
           ) as late,
           coalesce(max(extract(epoch from r.ingested_at - r.broker_timestamp)), 0)::double precision
               as longest_s
    from traffic.raw_events r
    where r.ingested_at >= %(begin)s and r.ingested_at < %(end)s
      and r.broker_timestamp is not null
    group by r.topic_no, r.partition
) lag
join traffic.topics t using (topic_no)
order by lag.late desc, topic, lag.partition
