-- Deletes events of runs that stay because of a date's newest materialization: all their other events, and
-- materializations that later ones have replaced.
with expired as (
    delete from event_logs as event
    where event.timestamp < %(written_before)s
      and event.run_id in (
          select run_id from runs where status in ('SUCCESS', 'FAILURE', 'CANCELED')
      )
      and not (
          event.dagster_event_type = 'ASSET_MATERIALIZATION'
          and not exists (
              select from event_logs later
              where later.dagster_event_type = 'ASSET_MATERIALIZATION'
                and later.asset_key = event.asset_key
                and later.partition is not distinct from event.partition
                and later.id > event.id
          )
      )
    returning event.id
), untagged as (
    delete from asset_event_tags where event_id in (select id from expired)
)
select count(*) from expired
