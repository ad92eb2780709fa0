-- A road so empty that a detector may rightly see nothing for most of a day.
alter table traffic.sensors add column rural boolean;

-- One row per sensor and local day. Can be computed again from the readings at any time.
create table traffic.detector_health (
    sensor_id uuid not null references traffic.sensors,
    date date not null,
    diagnosis text not null check (diagnosis in (
        'no_data', 'insufficient_data', 'card_off', 'high_value', 'intermittent', 'constant', 'good',
        'not_evaluated')),
    seen text not null,
    field text not null,
    tests_not_evaluated text[] not null default '{}',
    scope text check (scope in ('detector', 'station', 'feed')),
    rural boolean not null,
    interval_s integer check (interval_s > 0),
    interval_inferred boolean not null,
    readings integer not null,
    samples integer not null,
    expected_samples integer check (expected_samples > 0),
    samples_percent double precision,
    zero_occupancy_percent double precision,
    high_occupancy_percent double precision,
    occupancy_without_volume_percent double precision,
    volume_without_occupancy_percent double precision,
    constant_samples integer,
    constant_occupancy double precision,
    constant_from timestamptz,
    without_speed_percent double precision,
    vehicles bigint,
    longest_gap_s integer,
    last_reading timestamptz,
    computed_at timestamptz not null,
    primary key (sensor_id, date)
);
create index on traffic.detector_health (date, diagnosis);

-- With the sensor's description, the day since which it has this diagnosis and the last day on which
-- it was good. Days that were not evaluated lie in between without ending anything.
create view traffic.detector_health_detail as
select h.*, s.external_id, s.name as sensor_name, s.road, s.direction, s.milepost, s.station_id,
       s.origin, since.date as since, good.date as last_good
from traffic.detector_health h
join traffic.sensors s using (sensor_id)
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date < h.date
      and p.diagnosis not in (h.diagnosis, 'not_evaluated')
    order by p.date desc
    limit 1
) before on true
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date > coalesce(before.date, '-infinity')
      and p.diagnosis = h.diagnosis
    order by p.date
    limit 1
) since on true
left join lateral (
    select p.date
    from traffic.detector_health p
    where p.sensor_id = h.sensor_id and p.date <= h.date and p.diagnosis = 'good'
    order by p.date desc
    limit 1
) good on true;
