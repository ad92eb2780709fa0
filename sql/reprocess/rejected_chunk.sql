-- The next messages to be decoded again, in the order of the key. The first comes whatever its size.
select topic_no, partition, "offset", event_no, broker_timestamp, quarantined_at, event_date, reason, detail,
       value
from (
    select q.*, row_number() over ordered as number,
           sum(coalesce(octet_length(q.value), 0)) over ordered as payload
    from (
        select q.topic_no, q.partition, q."offset", q.event_no, q.broker_timestamp, q.quarantined_at,
               q.event_date, q.reason, q.detail, q.value
        from traffic.quarantined_events q
        where q.resolved_at is null and q.batch_id <= %(last_batch_id)s
          and (q.topic_no, q.partition, q."offset", q.event_no)
              > (%(after_topic_no)s::smallint, %(after_partition)s::integer, %(after_offset)s::bigint,
                 %(after_event_no)s::smallint)
          and (%(reason)s::text is null or q.reason = %(reason)s)
          and (%(date)s::date is null
               or (coalesce(q.broker_timestamp, q.quarantined_at) at time zone %(timezone)s)::date
                  = %(date)s)
          and (%(sensor)s::text is null or q.key = convert_to(%(sensor)s, 'UTF8')
               or traffic.try_jsonb(q.value) ->> 'sensor_id' = %(sensor)s)
        order by q.topic_no, q.partition, q."offset", q.event_no
        limit %(messages)s
    ) q
    window ordered as (order by q.topic_no, q.partition, q."offset", q.event_no)
) q
where number = 1 or payload <= %(payload)s
order by topic_no, partition, "offset", event_no
