"""Duration of the queries of docs/sql.md over a day of ten million readings."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.report import say, show, write
from benchmarks.servers import running_servers
from traffic_platform.rollups import recompute

_SENSORS, _EVERY_S = 3_472, 30  # ten million readings a day
_GOAL_S = 1.0
PAGE = Path(__file__).parents[1] / "docs" / "sql.md"
_TRIES = 3
# A stream that is sent now cannot arrive yesterday, so PostgreSQL generates the rows.
_MAKE_SENSORS = """
    insert into traffic.sensors
        (sensor_id, external_id, origin, interval_s, length_mi, free_flow_mph, road, direction,
         milepost)
    select gen_random_uuid(), 'q-' || n, 'imported', %(every)s, 0.5, 65, 'I-205',
           case when n %% 2 = 0 then 'NORTH' else 'SOUTH' end, n / 2
    from generate_series(1, %(sensors)s) n"""
_MAKE_READINGS = """
    insert into traffic.traffic_readings
        (sensor_id, "timestamp", speed, volume, occupancy, quality_score, quality_flags,
         broker_timestamp, topic_no, partition, "offset", created_at, updated_at)
    select sensor_id, t, 20 + 50 * random(), (20 * random())::int, 40 * random(), 1, 0, t, 1, 0, 1,
           t, t
    from generate_series(%(day)s::timestamptz, %(day)s::timestamptz + interval '1 day - 1 s',
                         %(every)s * interval '1 s') t
    cross join traffic.sensors"""


def measure_queries() -> None:
    """Fill yesterday (UTC), roll it up, and run each query of the page with the reading role."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with running_servers() as servers, servers.database(migrated=True) as database:
        with psycopg.connect(
            servers.postgres.url("traffic_owner", database), autocommit=True
        ) as owner:
            readings = _fill(owner, yesterday)
            say("Rolling them up")
            recompute(owner, [yesterday])
            owner.execute("vacuum analyze")
        with psycopg.connect(
            servers.postgres.url("traffic_read", database), autocommit=True
        ) as reader:
            found = [(title, *_time(reader, query)) for title, query in queries_of_page().items()]
    rows = [(title, f"{seconds:.3f}", f"{count:,}") for title, seconds, count in found]
    show(f"{readings:,} readings of a day; goal {_GOAL_S} s", ("", "s", "rows"), rows)
    findings = {"readings": readings, "seconds": {title: seconds for title, seconds, _ in found}}
    say(f"Written to {write('queries', findings)}")


def _fill(owner: psycopg.Connection, day: date) -> int:
    parameters = {"sensors": _SENSORS, "every": _EVERY_S, "day": day}
    say("Storing ten million readings of a day")
    owner.execute("set synchronous_commit = off")
    owner.execute("select traffic.ensure_partition('traffic_readings', %s)", (day,))
    owner.execute(_MAKE_SENSORS, parameters)
    return owner.execute(_MAKE_READINGS, parameters).rowcount


def queries_of_page() -> dict[str, str]:
    """Return the queries of the page by their headings."""
    chapters = [chapter.partition("\n") for chapter in PAGE.read_text().split("\n## ")[1:]]
    return {title: text.split("```sql\n")[1].split("```")[0] for title, _, text in chapters}


def _time(reader: psycopg.Connection, query: str) -> tuple[float, int]:
    """Return the longest time of some tries (seconds), and the number of rows."""
    longest, rows = 0.0, 0
    for _ in range(_TRIES):
        began = time.perf_counter()
        rows = len(reader.execute(query).fetchall())  # pyright: ignore[reportArgumentType]
        longest = max(longest, time.perf_counter() - began)
    return round(longest, 3), rows
