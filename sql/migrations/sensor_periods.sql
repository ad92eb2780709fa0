-- What a sensor is gets a validity in time, and intervals may be shorter than a second.
--
-- All locks come first, so that nothing is done in vain when a reader is in the way. The view comes
-- before its tables, as readers lock them.
lock table traffic.detector_health_detail, traffic.detector_health, traffic.readings_5min,
    traffic.readings_hourly, traffic.readings_daily, traffic.sensors in access exclusive mode;

-- PostgreSQL forbids a change of type where a view reads the column. The platform's own view is made
-- anew; views of the user are theirs to drop.
do $$
declare
    readers text;
begin
    select string_agg(distinct v.oid::regclass::text, ', ') into readers
    from pg_depend d
    join pg_rewrite w on w.oid = d.objid
    join pg_class v on v.oid = w.ev_class
    left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
      and v.oid <> 'traffic.detector_health_detail'::regclass
      and (d.refobjid = 'traffic.detector_health_detail'::regclass
           or a.attname in ('interval_s', 'inferred_interval_s')
              and d.refobjid = any (array[
                  'traffic.sensors', 'traffic.detector_health', 'traffic.readings_5min',
                  'traffic.readings_hourly', 'traffic.readings_daily']::regclass[]));
    if readers is not null then
        raise exception 'The database was not migrated: the type of interval_s changes, and % read it.'
            ' Drop these views, run `traffic up` again, then create them again.', readers
            using errcode = 'dependent_objects_still_exist';
    end if;
end
$$;

create temporary table health_view on commit drop as
select pg_get_viewdef('traffic.detector_health_detail'::regclass) as definition,
       (select relacl from pg_class where oid = 'traffic.detector_health_detail'::regclass) as rights;
drop view traffic.detector_health_detail;

-- A change of type writes the table anew, with its indexes.
alter table traffic.readings_5min alter column interval_s type numeric;
alter table traffic.readings_hourly alter column interval_s type numeric;
alter table traffic.readings_daily alter column interval_s type numeric;
alter table traffic.detector_health alter column interval_s type numeric;
alter table traffic.sensors
    alter column interval_s type numeric,
    alter column inferred_interval_s type numeric,
    add column retired boolean not null default false,
    add column valid_from timestamptz not null default '-infinity';

do $$
declare
    kept record;
    granted record;
begin
    select * into kept from health_view;
    execute 'create view traffic.detector_health_detail as ' || kept.definition;
    for granted in
        select a.privilege_type, a.is_grantable,
               case a.grantee when 0 then 'public' else quote_ident(r.rolname) end as grantee
        from aclexplode(kept.rights) a left join pg_roles r on r.oid = a.grantee
    loop
        execute format('grant %s on traffic.detector_health_detail to %s %s', granted.privilege_type,
                       granted.grantee,
                       case when granted.is_grantable then 'with grant option' else '' end);
    end loop;
end
$$;

-- A period ends where the sensor's next one begins. Begins lie on 5-minute bounds, so that no bucket
-- lies in two periods.
create table traffic.sensor_periods (
    sensor_id uuid not null references traffic.sensors on delete cascade,
    valid_from timestamptz not null check (
        valid_from = date_bin('5 minutes', valid_from, '2000-01-01 00:00+00')
        and valid_from < 'infinity'),
    interval_s numeric check (interval_s between 0.001 and 2147483647),
    length_mi double precision check (length_mi > 0),
    lanes smallint check (lanes > 0),
    free_flow_mph double precision check (free_flow_mph > 0),
    rural boolean,
    retired boolean not null default false,
    inferred_interval_s numeric check (inferred_interval_s between 0.001 and 2147483647),
    inferred_free_flow_mph double precision check (inferred_free_flow_mph > 0),
    source text not null check (source in ('registered', 'imported', 'inferred')),
    primary key (sensor_id, valid_from)
);

insert into traffic.sensor_periods
    (sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, inferred_interval_s,
     inferred_free_flow_mph, source)
select sensor_id, '-infinity', interval_s, length_mi, lanes, free_flow_mph, rural, inferred_interval_s,
       inferred_free_flow_mph, 'registered'
from traffic.sensors;

-- The values that apply in each period, with its end. An imported value precedes an inferred one. A
-- length or speed that no road has was inserted by hand.
create view traffic.sensor_timeline as
select p.sensor_id, p.valid_from,
       lead(p.valid_from, 1, 'infinity') over (partition by p.sensor_id order by p.valid_from)
           as valid_until,
       coalesce(p.interval_s, p.inferred_interval_s) as interval_s,
       case when p.length_mi between 0.001 and 1000 then p.length_mi end as length_mi,
       p.lanes,
       coalesce(case when p.free_flow_mph between 1 and 300 then p.free_flow_mph end,
                p.inferred_free_flow_mph) as free_flow_mph,
       coalesce(p.rural, false) as rural, p.retired, p.source,
       p.interval_s is null and p.inferred_interval_s is not null as interval_inferred
from traffic.sensor_periods p;

-- The readings that a sensor without any gap delivers in a span of time; null where the interval of a part
-- is unknown.
create function traffic.expected_samples(sensor uuid, first timestamptz, until timestamptz) returns numeric
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case when bool_and(t.interval_s is not null) then
               sum(extract(epoch from least(t.valid_until, until) - greatest(t.valid_from, first))
                   / t.interval_s)
           end
    from traffic.sensor_timeline t
    where t.sensor_id = sensor and t.valid_from < until and t.valid_until > first
$$;

-- traffic.sensors shows the period of today. Only these triggers write the copy.
create function traffic.begin_first_period() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into traffic.sensor_periods
        (sensor_id, valid_from, interval_s, length_mi, lanes, free_flow_mph, rural, retired,
         inferred_interval_s, inferred_free_flow_mph, source)
    select sensor_id, '-infinity', interval_s, length_mi, lanes, free_flow_mph, rural, retired,
           inferred_interval_s, inferred_free_flow_mph, 'registered'
    from added
    on conflict do nothing;  -- of a sensor that somebody deleted without the foreign keys' triggers
    return null;
end
$$;
create trigger begin_first_period after insert on traffic.sensors
referencing new table as added for each statement execute function traffic.begin_first_period();

create function traffic.show_current_period() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from changed where valid_from > now()) then
        raise exception 'A period of a sensor cannot begin in the future. Import it when it has begun.'
            using errcode = 'check_violation';
    end if;
    if exists (
        select from changed c
        join traffic.sensors s using (sensor_id)
        where not exists (
            select from traffic.sensor_periods p
            where p.sensor_id = c.sensor_id and p.valid_from = '-infinity'
        )
    ) then
        raise exception 'A sensor needs a period since the beginning (valid_from -infinity).'
            using errcode = 'check_violation';
    end if;
    update traffic.sensors s
    set (interval_s, length_mi, lanes, free_flow_mph, rural, retired, inferred_interval_s,
         inferred_free_flow_mph, valid_from)
        = row (p.interval_s, p.length_mi, p.lanes, p.free_flow_mph, p.rural, p.retired,
               p.inferred_interval_s, p.inferred_free_flow_mph, p.valid_from)
    from (select distinct sensor_id from changed) c
    cross join lateral (
        select * from traffic.sensor_periods n
        where n.sensor_id = c.sensor_id
        order by n.valid_from desc
        limit 1
    ) p
    where s.sensor_id = c.sensor_id
      and (s.interval_s, s.length_mi, s.lanes, s.free_flow_mph, s.rural, s.retired,
           s.inferred_interval_s, s.inferred_free_flow_mph, s.valid_from)
          is distinct from (p.interval_s, p.length_mi, p.lanes, p.free_flow_mph, p.rural, p.retired,
                            p.inferred_interval_s, p.inferred_free_flow_mph, p.valid_from);
    return null;
end
$$;
create trigger show_added_period after insert on traffic.sensor_periods
referencing new table as changed for each statement execute function traffic.show_current_period();
create trigger show_changed_period after update on traffic.sensor_periods
referencing new table as changed for each statement execute function traffic.show_current_period();
create trigger show_removed_period after delete on traffic.sensor_periods
referencing old table as changed for each statement execute function traffic.show_current_period();

create function traffic.refuse_period_update() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'traffic.sensors shows the current period of traffic.sensor_periods. Use'
        ' `traffic sensors import`, or change that table.';
end
$$;
create trigger refuse_period_update before update of interval_s, length_mi, lanes, free_flow_mph, rural,
    retired, inferred_interval_s, inferred_free_flow_mph, valid_from on traffic.sensors
for each statement when (pg_trigger_depth() = 0) execute function traffic.refuse_period_update();
