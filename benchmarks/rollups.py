"""Cost of roll-ups beside ingest, and a comparison of a week's roll-ups with a recomputation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from confluent_kafka import Producer

from benchmarks.contestants.ingest_run import settings_of
from benchmarks.race import Contestant, Task, run_leg
from benchmarks.report import say, show, spread, write
from benchmarks.servers import Servers, running_servers
from benchmarks.stream import PARTITIONS, SENSORS, event, make_topic, prefill
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.rollups import TABLES, BackgroundRollups, recompute

LEG = 800_000  # events, a multiple of SENSORS
_STORED = ("traffic.raw_events", "traffic.processed_events", "traffic.traffic_readings")
WITHOUT = Contestant("without roll-ups", "not_rolled_up", stored=_STORED)
WITH = Contestant("with roll-ups", "rolled_up", stored=_STORED)

# 500 sensors that report every 150 s: two million readings a week.
MONDAY = datetime(2025, 10, 6, tzinfo=UTC)
DAYS, INTERVAL_S = 7, 150
LATE_SHARE, REPEATED_SHARE, LATEST_S = 0.05, 0.01, 3 * 86_400


def measure_rollups(turns: int) -> None:
    """Compare ingest with and without roll-ups, then roll up a week and recompute it."""
    with running_servers() as servers:
        race = _race(servers, turns)
        week = _week(servers)
    path = write("rollups", {"race": race, "week": week})
    say(f"Written to {path}")


def _race(servers: Servers, turns: int) -> dict[str, Any]:
    """Alternate legs with and without roll-ups, in either order, because a machine drifts."""
    prefill(servers.kafka.bootstrap_servers, "rollups", LEG)
    run_leg(servers, WITHOUT, "rollups", LEG)  # fills all caches
    rows: list[dict[str, Any]] = []
    for turn in range(turns):
        order = (WITHOUT, WITH) if turn % 2 else (WITH, WITHOUT)
        legs = {contestant: run_leg(servers, contestant, "rollups", LEG) for contestant in order}
        rows.append(
            {
                "rate": round(legs[WITH].events_per_s / legs[WITHOUT].events_per_s, 3),
                **{contestant.name: asdict(leg) for contestant, leg in legs.items()},
            }
        )
        without, with_them = legs[WITHOUT].events_per_s, legs[WITH].events_per_s
        say(f"  {without:>9,.0f}/s without, {with_them:,.0f}/s with")
    ratios = spread([row["rate"] for row in rows], 3)
    title = "Events per second with roll-ups / without, within a turn; goal 0.85"
    show(title, _SPREAD, [("", *ratios.values())])
    return {"ratio": ratios, "goal": 0.85, "turns": rows}


_SPREAD = ("", "median", "min", "max")


def _week(servers: Servers) -> dict[str, Any]:
    with servers.database(migrated=True) as database:
        topic = "week"
        sent = send_week(servers, topic)
        say(f"Storing and rolling up {sent:,} events of a week")
        owner_url = servers.postgres.url("traffic_owner", database)
        task = Task(
            bootstrap_servers=servers.kafka.bootstrap_servers,
            owner_url=owner_url,
            ingest_url=servers.postgres.url("traffic_ingest", database),
            topic=topic,
            group="bench-week",
            events=sent,
        )
        stored_s, later_s, buckets = _store(task)
        with psycopg.connect(owner_url, autocommit=True) as owner:
            found = _compare(owner)
    readings = found["readings"]
    findings = {
        "events": sent,
        "stored_s": round(stored_s, 1),
        "rolled_up_s_later": round(later_s, 1),
        "buckets_rolled_up": buckets,
        "recomputed_readings_per_s": round(readings / found["recomputed_s"]),
        **found,
    }
    show("The week", ("", ""), [(name, str(value)) for name, value in findings.items()])
    return findings


def _store(task: Task) -> tuple[float, float, int]:
    """Store the week. Return the seconds of ingest, of roll-ups after it, and their buckets."""
    settings = settings_of(task)
    began = time.monotonic()
    with BackgroundRollups(settings) as rollups:
        run_ingest(
            settings,
            [task.topic],
            limits=RunLimits(seconds=3600, idle_seconds=60, until_caught_up=True),
            run_id=None,
            stop=lambda: False,
            stored=rollups.stored,
        )
        ended = time.monotonic()
    return ended - began, time.monotonic() - ended, rollups.take().buckets


def _compare(owner: psycopg.Connection[Any]) -> dict[str, Any]:
    """Recompute all roll-ups from nothing, and compare them with those made beside ingest."""
    for table in TABLES:
        owner.execute(f"create table public.{table} as table traffic.{table}")  # pyright: ignore
        owner.execute(f"alter table public.{table} drop column updated_at")  # pyright: ignore
        owner.execute(f"truncate traffic.{table}")  # pyright: ignore
    began = time.monotonic()
    dates = [date(2025, 10, 6) + timedelta(days=day) for day in range(DAYS)]
    recompute(owner, dates)
    seconds = time.monotonic() - began
    began = time.monotonic()
    again = recompute(owner, dates)
    unchanged_s = time.monotonic() - began
    return {
        "readings": _count(owner, "traffic.traffic_readings"),
        **{f"rows of {table}": _count(owner, f"traffic.{table}") for table in TABLES},
        "rows that differ": sum(_differences(owner, table) for table in TABLES),
        "recomputed_s": round(seconds, 1),
        "recomputed_again_s": round(unchanged_s, 1),
        "rows written again": sum(again.total(table).total for table in TABLES),
    }


def _differences(owner: psycopg.Connection[Any], table: str) -> int:
    names = [
        row[0]
        for row in owner.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'public' and table_name = %s",
            (table,),
        )
    ]
    new = f"select {', '.join(names)} from traffic.{table}"
    old = f"select {', '.join(names)} from public.{table}"
    both = f"(({new}) except ({old})) union all (({old}) except ({new}))"
    return _count(owner, f"({both}) d")


def _count(owner: psycopg.Connection[Any], table: str) -> int:
    row = owner.execute(f"select count(*) from {table}").fetchone()  # pyright: ignore
    assert row is not None
    return int(row[0])


def send_week(servers: Servers, topic: str) -> int:
    """Send the week in order of arrival and return the number of events."""
    make_topic(servers.kafka.bootstrap_servers, topic)
    producer = Producer(
        {"bootstrap.servers": servers.kafka.bootstrap_servers, "acks": "all", "linger.ms": 20}
    )
    count = 0
    for sensor, value in _events():
        while len(producer) > 50_000:
            producer.poll(0.05)
        producer.produce(topic, value, partition=sensor % PARTITIONS)
        count += 1
    if producer.flush(120):
        raise RuntimeError("Kafka did not acknowledge every event in 120 s.")
    return count


def _events() -> Iterator[tuple[int, bytes]]:
    random = np.random.default_rng(7)
    per_sensor = DAYS * 86_400 // INTERVAL_S
    readings = SENSORS * per_sensor
    sensor = np.tile(np.arange(SENSORS), per_sensor)
    second = np.repeat(np.arange(per_sensor), SENSORS) * INTERVAL_S
    late = random.random(readings) < LATE_SHARE
    arrival = second + np.where(
        late, random.uniform(0, LATEST_S, readings), random.uniform(0, 5, readings)
    )
    repeats = np.flatnonzero(random.random(readings) < REPEATED_SHARE)
    row = np.concatenate((np.arange(readings), repeats))
    arrival = np.concatenate((arrival, arrival[repeats] + random.uniform(0, 3600, len(repeats))))
    speed = random.uniform(20, 70, len(row)).round(2)
    volume = random.integers(0, 2200, len(row))
    occupancy = random.uniform(0, 40, len(row)).round(2)
    times = [
        (MONDAY + timedelta(seconds=number * INTERVAL_S)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for number in range(per_sensor)
    ]
    for at in np.argsort(arrival, kind="stable").tolist():
        of = int(row[at])
        number = int(sensor[of])
        time_of = times[int(second[of]) // INTERVAL_S]
        measures = (float(speed[at]), int(volume[at]), float(occupancy[at]))
        yield number, event(f"sensor-{number:04d}", time_of, *measures)
