-- Mark batches as decided by today's rules, if the backfill covers all of their dates.
update traffic.micro_batches
set rules_version = %(rules_version)s
where kind = 'ingest' and rules_version <> %(rules_version)s
  and event_dates && %(dates)s::date[] and event_dates <@ %(dates)s::date[]
  and first_offset < any (
      select position
      from unnest(%(topic_nos)s::smallint[], %(partitions)s::integer[], %(positions)s::bigint[])
          as seen (topic_no, partition, position)
      where seen.topic_no = micro_batches.topic_no and seen.partition = micro_batches.partition
  )
