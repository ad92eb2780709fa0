-- Runs that ended before the limit, without the newest materialization of an (asset, date) and without the
-- newest result of a check. If these were deleted, Dagster would show the date as missing.
with newest_materialization as (
    select distinct on (asset_key, partition) run_id
    from event_logs
    where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key is not null
    order by asset_key, partition, id desc
), newest_check as (
    select distinct on (asset_key, check_name, partition) run_id
    from asset_check_executions
    where execution_status <> 'PLANNED'
    order by asset_key, check_name, partition, id desc
)
select run_id
from runs
where status in ('SUCCESS', 'FAILURE', 'CANCELED')
  and update_timestamp < %(ended_before)s
  and run_id not in (select run_id from newest_materialization where run_id is not null)
  and run_id not in (select run_id from newest_check where run_id is not null)
order by id
limit %(most)s
