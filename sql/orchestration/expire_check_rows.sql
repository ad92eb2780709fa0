-- Deletes results of checks whose run was deleted. The newest result of each check stays, because Dagster
-- shows it.
with newest as (
    select distinct on (asset_key, check_name, partition) id
    from asset_check_executions
    where execution_status <> 'PLANNED'
    order by asset_key, check_name, partition, id desc
), expired as (
    delete from asset_check_executions as execution
    where execution.create_timestamp < %(written_before)s
      and execution.id not in (select id from newest)
      and not exists (select from runs where runs.run_id = execution.run_id)
    returning id
)
select count(*) from expired
