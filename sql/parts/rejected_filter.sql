where (%(resolved)s or q.resolved_at is null)
  and (%(reason)s::text is null or q.reason = %(reason)s)
  and (%(date)s::date is null
       or (coalesce(q.broker_timestamp, q.quarantined_at) at time zone %(timezone)s)::date = %(date)s)
  and (%(sensor)s::text is null or q.key = convert_to(%(sensor)s, 'UTF8')
       or traffic.try_jsonb(q.value) ->> 'sensor_id' = %(sensor)s)
