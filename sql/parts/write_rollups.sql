-- The tail of every roll-up: it writes the rows of `computed` that differ from those of `old`. Roll-ups
-- exclude each other, so nothing else writes these rows. An unchanged row is not written.
different as materialized (
    select c.*, o.sensor_id is null as is_new
    from computed c
    left join old o using (sensor_id, {key})
    where o.sensor_id is null or ({stored}) is distinct from ({computed})
),
written as (
    insert into traffic.{table} (sensor_id, {key}, {columns})
    select sensor_id, {key}, {columns}
    from different
    on conflict (sensor_id, {key}) do update
    set ({columns}, updated_at) = row ({excluded}, now())
),
removed as (
    delete from traffic.{table} t
    using (
        select sensor_id, {key} from old
        except
        select sensor_id, {key} from computed
    ) gone
    where t.sensor_id = gone.sensor_id and t.{key} = gone.{key}
    returning t.{key}
)
select {date} as date,
       count(*) filter (where w.is_new) as added,
       count(*) filter (where not w.is_new) as changed,
       count(*) filter (where w.is_new is null) as removed
from (
    select {key}, is_new from different
    union all
    select {key}, null from removed
) w
cross join traffic.platform p
group by 1
