-- The order time of the raw message `r`.
coalesce(r.order_time, least(coalesce(r.broker_timestamp, '-infinity'), r.ingested_at))
