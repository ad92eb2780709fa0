"""A synthetic fortnight in the tables that ingest fills: clean, or with faults on its last day.

The messages arrive within the fortnight. A stream that is sent today cannot, so PostgreSQL
generates the rows: first the events, then ledger, audit, raw, processed and readings from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, LiteralString

import psycopg

from traffic_platform.events.sensor_ids import sensor_uuid

FEEDS = ("north", "south", "east", "west", "harbor", "tunnel")
TOPIC = "traffic-raw"

_EVENTS = """
create temp table event as
select s.sensor_id, s.external_id as sensor, t as "timestamp",
       t + make_interval(secs => 2 + 3 * random()) as arrival,
       round((62 - 0.008 * v.volume + 6 * random())::numeric, 1)::double precision as speed,
       v.volume,
       round((v.volume / 55.0 * 0.45 + random())::numeric, 2)::double precision as occupancy
from traffic.sensors s
cross join generate_series(%(begin)s::timestamptz, %(last)s::timestamptz,
                           make_interval(secs => %(interval)s)) t
cross join lateral (
    select (700 + 500 * sin(extract(hour from t at time zone 'UTC') / 24 * 2 * pi() - 1.6)
            + 300 * random() + 0 * length(s.external_id))::integer as volume
) v
"""
_STORE: tuple[LiteralString, ...] = (
    """
    create temp table stored as
    select e.*, row_number() over (order by arrival, sensor) - 1 as "offset",
           1 + (extract(epoch from arrival - %(begin)s) / 3600)::bigint as batch_id,
           arrival + interval '1 second' as ingested,
           row_number() over (partition by sensor_id, "timestamp" order by arrival) as nth,
           first_value(arrival) over (partition by sensor_id, "timestamp" order by arrival)
               + interval '1 second' as first_ingested
    from event e
    """,
    """
    insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('traffic-raw', 'id', 'c')
    """,
    """
    insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)
    select 1, 0, 'traffic-raw', 0, count(*) from stored
    """,
    """
    insert into traffic.micro_batches
        (batch_id, topic_no, partition, first_offset, next_offset, delivered, raw, processed,
         quarantined, inserted, updated, unchanged, event_dates, date_counts, rules_version,
         committed_at)
    select b.batch_id, 1, 0, b.first, b.following, b.n, b.n, b.n, 0, b.new, 0, b.n - b.new,
           d.dates, d.counts, '1', b.committed
    from (
        select batch_id, min("offset") as first, max("offset") + 1 as following, count(*) as n,
               count(*) filter (where nth = 1) as new, max(ingested) as committed
        from stored group by batch_id
    ) b
    join (
        select batch_id, array_agg(day order by day) as dates,
               jsonb_object_agg(day::text, jsonb_build_object(
                   'raw', n, 'processed', n, 'quarantined', 0)) as counts
        from (
            select batch_id, ("timestamp" at time zone 'UTC')::date as day, count(*) as n
            from stored group by 1, 2
        ) x group by batch_id
    ) d using (batch_id)
    """,
    """
    insert into traffic.raw_events
        (topic_no, partition, "offset", value, broker_timestamp, ingested_at, batch_id)
    select 1, 0, "offset", '{}', arrival, ingested, batch_id from stored
    where arrival >= %(raw_from)s order by "offset"
    """,
    """
    insert into traffic.processed_events
        (topic_no, partition, "offset", sensor_id, "timestamp", speed, volume, occupancy,
         quality_score, quality_flags, format, batch_id)
    select 1, 0, "offset", sensor_id, "timestamp", speed, volume, occupancy, 1, 0, 1, batch_id
    from stored where arrival >= %(raw_from)s order by "offset"
    """,
    """
    insert into traffic.traffic_readings
        (sensor_id, "timestamp", speed, volume, occupancy, quality_score, quality_flags,
         broker_timestamp, topic_no, partition, "offset", created_at, updated_at)
    select sensor_id, "timestamp", speed, volume, occupancy, 1, 0, arrival, 1, 0, "offset",
           first_ingested, ingested
    from (
        select distinct on (sensor_id, "timestamp") * from stored
        order by sensor_id, "timestamp", arrival desc
    ) winner
    order by "offset"
    """,
    "drop table event, stored",
    "select setval('traffic.batch_ids', (select max(batch_id) from traffic.micro_batches))",
)


@dataclass(frozen=True)
class Fortnight:
    """Size of the data: `sensors` per feed, a reading every `interval_s`, `days` up to `last_day`.

    The last `raw_days` days have messages too; earlier days have only readings.
    """

    sensors: int = 6
    interval_s: int = 900
    days: int = 14
    last_day: date = date(2025, 10, 14)
    raw_days: int = 14
    feeds: Sequence[str] = field(default=FEEDS)

    @property
    def readings(self) -> int:
        """Number of readings without faults."""
        return len(self.feeds) * self.sensors * self.days * (86_400 // self.interval_s)

    @property
    def last_begin(self) -> datetime:
        """Begin of the last day."""
        return datetime.combine(self.last_day, time(), UTC)

    def store(self, owner: psycopg.Connection[Any], faults: Sequence[LiteralString] = ()) -> None:
        """Fill an empty, migrated database. `faults` are statements that change table `event`.

        `owner` is in autocommit.
        """
        begin = self.last_begin - timedelta(days=self.days - 1)
        parameters = {
            "begin": begin,
            "last": self.last_begin + timedelta(days=1) - timedelta(seconds=self.interval_s),
            "interval": self.interval_s,
            "day": self.last_begin,
            "raw_from": self.last_begin - timedelta(days=self.raw_days - 1),
        }
        self._prepare(owner, begin)
        with owner.transaction():
            owner.execute("select setseed(0.5)")
            owner.execute(_EVENTS, parameters)
            for fault in faults:
                owner.execute(fault, parameters)
            for statement in _STORE:
                owner.execute(statement, parameters)
        owner.execute("vacuum (analyze) traffic.traffic_readings")
        owner.execute("vacuum (analyze) traffic.processed_events")

    def _prepare(self, owner: psycopg.Connection[Any], begin: datetime) -> None:
        names = [f"{feed}-{number}" for feed in self.feeds for number in range(1, self.sensors + 1)]
        with owner.cursor() as cursor:
            cursor.executemany(
                "insert into traffic.sensors (sensor_id, external_id, origin, registered_at)"
                " values (%s, %s, 'seen', %s)",
                [(sensor_uuid(name), name, begin) for name in names],
            )
        for day in range(-1, self.days + 1):
            for table in ("raw_events", "processed_events", "traffic_readings"):
                owner.execute(
                    "select traffic.ensure_partition(%s, %s)",
                    [table, (begin + timedelta(days=day)).date()],
                )


# Faults of the last day. Each changes the events before they are stored.
NULL_SPEEDS = """
update event set speed = null
where sensor = 'north-1' and arrival >= %(day)s + interval '6 hours'
"""
BURST_OF_REPEATS = """
insert into event
select sensor_id, sensor, "timestamp", %(day)s + interval '14 hours' + n * interval '1 minute',
       speed, volume, occupancy
from event, generate_series(1, 8) n
where sensor like 'south-%%' and "timestamp" >= %(day)s + interval '10 hours'
  and "timestamp" < %(day)s + interval '12 hours'
"""
STUCK_SENSORS = """
update event set speed = 51.5, volume = 830, occupancy = 7.25
where sensor in ('east-2', 'east-5') and arrival >= %(day)s + interval '8 hours'
"""
SILENT_SENSOR = "delete from event where sensor = 'west-4' and arrival >= %(day)s"
HOUR_BEHIND = """
update event set "timestamp" = "timestamp" - interval '1 hour'
where sensor like 'harbor-%%' and arrival >= %(day)s
"""
OCCUPANCY_AS_FRACTION = """
update event set occupancy = occupancy / 100 where sensor like 'tunnel-%%' and arrival >= %(day)s
"""
FAULTS: tuple[LiteralString, ...] = (
    NULL_SPEEDS,
    BURST_OF_REPEATS,
    STUCK_SENSORS,
    SILENT_SENSOR,
    HOUR_BEHIND,
    OCCUPANCY_AS_FRACTION,
)


def delete_a_reading(owner: psycopg.Connection[Any], fortnight: Fortnight) -> None:
    """Delete one reading of the last day, as a user could by hand."""
    deleted = owner.execute(
        'delete from traffic.traffic_readings where sensor_id = %s and "timestamp" = %s',
        [sensor_uuid("north-2"), fortnight.last_begin + timedelta(hours=12)],
    )
    assert deleted.rowcount == 1
