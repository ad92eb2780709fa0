-- The next messages to decode again, in the order of the key. The first is included whatever its size.
select topic_no, partition, "offset", batch_id, timestamptz_send(broker_timestamp),
       timestamptz_send(quarantined_at), timestamptz_send(order_time), key, value
from (
    select q.*, row_number() over ordered as number,
           sum(coalesce(octet_length(q.value), 0)) over ordered as payload
    from (
        select q.topic_no, q.partition, q."offset", q.batch_id, q.broker_timestamp,
               q.quarantined_at, q.order_time, q.key, q.value
        from traffic.quarantined_events q
        where q.resolved_at is null and q.batch_id <= %(last_batch_id)s
          and (q.topic_no, q.partition, q."offset")
              > (%(after_topic_no)s::smallint, %(after_partition)s::integer, %(after_offset)s::bigint)
          and (%(reason)s::text is null or q.reason = %(reason)s)
          and (%(date)s::date is null
               or (coalesce(q.broker_timestamp, q.quarantined_at) at time zone %(timezone)s)::date
                  = %(date)s)
          and (%(sensor)s::text is null or q.key = convert_to(%(sensor)s, 'UTF8')
               or traffic.try_jsonb(q.value) ->> 'sensor_id' = %(sensor)s)
        order by q.topic_no, q.partition, q."offset"
        limit %(messages)s
    ) q
    window ordered as (order by q.topic_no, q.partition, q."offset")
) q
where number = 1 or payload <= %(payload)s
order by topic_no, partition, "offset"
