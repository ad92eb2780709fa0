-- Rows of one width, which numpy reads in one go: nulls are marked in a column of their own.
copy (
    select "offset", sensor_id, "timestamp", coalesce(speed, 0), coalesce(volume, 0),
           coalesce(occupancy, 0), quality_score, quality_flags, format,
           (case when speed is null then 1 else 0 end
            + case when volume is null then 2 else 0 end
            + case when occupancy is null then 4 else 0 end)::smallint
    from traffic.processed_events
    where topic_no = %(topic_no)s and partition = %(partition)s
      and "offset" >= %(begin)s and "offset" < %(end)s
    order by "offset"
) to stdout (format binary)
