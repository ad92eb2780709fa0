"""Response times of the API, while an ingest run stores 1,000 events per second.

Clients request pages of a day of ten million readings, and the newest readings of all sensors.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from benchmarks.live_stream import events_stored, live_stream, running_process
from benchmarks.report import percentile, say, show, write
from benchmarks.servers import Servers, running_servers
from benchmarks.stream import make_topic
from traffic_platform.event_tables.reading_counts import correct_counts
from traffic_platform.events.dates import day_bounds
from traffic_platform.maintenance.index_closed_months import index_closed_months
from traffic_platform.statements import statement

SENSORS, READINGS, CLIENTS = 5_000, 10_000_000, 50
DAY = date(2025, 10, 4)
TOPIC = "serving"
_GOAL_MS = 100
_KINDS = (["page"], ["current"], ["page", "current"])


def measure_serving(seconds: float = 60, readings: int = READINGS) -> None:
    """Fill the day, then measure legs of `seconds` each.

    The clients request pages, current readings, either, and pages without the index of the month.
    """
    with running_servers() as servers, servers.database(migrated=True) as database:
        say(f"Storing {readings:,} readings of a day")
        _fill(servers, database, readings)
        make_topic(servers.kafka.bootstrap_servers, TOPIC)
        with live_stream(servers, database, TOPIC, SENSORS), _api(servers, database) as port:
            alone = [_alone(port, page) for page in (1, 2, readings // 100)]
            legs = [_leg(port, kinds, seconds, readings) for kinds in _KINDS]
            with servers.superuser(database) as owner:
                # A month that has not ended does not have this index.
                owner.execute("drop index traffic.traffic_readings_202510_in_order")
            legs.append(_leg(port, ["page"], seconds, readings, " of a running month"))
            stored = events_stored(servers, database)
    findings = {"readings": readings, "alone_ms": alone, "legs": legs, "ingested": stored}
    rows = [row for leg in legs for row in leg["rows"]]
    show(f"{CLIENTS} clients, ms; goal: p99 below {_GOAL_MS}", _HEAD, rows)
    say(f"One client, ms: page 1 {alone[0]}, page 2 {alone[1]}, the last page {alone[2]}")
    say(f"Stored meanwhile: {stored:,} events")
    wrong = [text for leg in legs for text in leg["wrong"]]
    say(f"Wrong answers: {wrong or 'none'}\nWritten to {write('serving', findings)}")


_HEAD = ("requests", "answers/s", "p50", "p95", "p99", "max")


def _never() -> bool:
    return False


def _fill(servers: Servers, database: str, readings: int) -> None:
    with servers.superuser(database) as owner:
        owner.execute("set synchronous_commit = off")
        owner.execute("set maintenance_work_mem = '1GB'")
        owner.execute("drop index traffic.traffic_readings_by_time")
        owner.execute("select traffic.ensure_partition('traffic_readings', %s)", (DAY,))
        owner.execute("set session_replication_role = replica")  # every reading has its sensor
        owner.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin)"
            " select md5(n::text)::uuid, 'old-' || n, 'seen' from generate_series(1, %s) n",
            (SENSORS,),
        )
        rounds = readings // SENSORS
        owner.execute(
            'insert into traffic.traffic_readings_202510 (sensor_id, "timestamp", speed, volume,'
            " occupancy, quality_score, quality_flags, broker_timestamp, topic_no, partition,"
            ' "offset", created_at, updated_at)'
            " select md5(n::text)::uuid, t, 40 + n %% 30, n %% 2000, n %% 20, 1, 0,"
            " t, 1, 0, 0, t, t"
            " from generate_series(0, %s - 1) i"
            " cross join lateral (select %s::timestamptz + i * (interval '1 day' / %s) as t) x"
            " cross join generate_series(1, %s) n",
            (rounds, DAY, rounds, SENSORS),
        )
        owner.execute(
            "create index traffic_readings_by_time on traffic.traffic_readings"
            ' using brin ("timestamp") with (pages_per_range = 64, autosummarize = on)'
        )
        # Maintenance indexes a month after its end.
        index_closed_months(
            servers.postgres.url("traffic_owner", database), datetime.now(UTC), _never
        )
        owner.execute("vacuum analyze traffic.traffic_readings")
        correct_counts(owner, *day_bounds(DAY, "UTC"))
        owner.execute(statement("rollups/roll_up_counts"))
        owner.execute("checkpoint")


@contextmanager
def _api(servers: Servers, database: str) -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    variables = {
        "TRAFFIC_DATABASE_URL": servers.postgres.url("traffic_owner", database),
        "TRAFFIC_READ_DATABASE_URL": servers.postgres.url("traffic_read", database),
        "TRAFFIC_API_PORT": str(port),
    }
    with running_process([sys.executable, "-m", "traffic_platform.api"], variables):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready")
                break
            except OSError:
                time.sleep(0.1)
        yield port


def _load(port: int, clients: int, seconds: float, kinds: list[str], **more: Any) -> dict[str, Any]:
    load = {"port": port, "clients": clients, "seconds": seconds, "kinds": kinds, **more}
    command = [sys.executable, "-m", "benchmarks.serving_load", json.dumps(load)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _alone(port: int, page: int) -> float:
    """Return the median response time (ms) of a single client that requests one page."""
    of_day = {"date": DAY.isoformat(), "total": READINGS, "pages": [page, page]}
    found = sorted(_load(port, 1, 3, ["page"], **of_day)["seconds"]["page"])
    return round(1000 * percentile(found, 0.5), 2)


def _leg(
    port: int, kinds: list[str], seconds: float, readings: int, of: str = ""
) -> dict[str, Any]:
    say(f"{CLIENTS} clients request {' or '.join(kinds)}{of}")
    of_day = {"date": DAY.isoformat(), "total": readings, "pages": [1, readings // 100]}
    found = _load(port, CLIENTS, seconds, kinds, **of_day)
    rows: list[tuple[str, ...]] = []
    for kind in kinds:
        times = sorted(found["seconds"][kind])
        shares = [round(1000 * percentile(times, share), 1) for share in (0.5, 0.95, 0.99, 1)]
        name = f"{kind}{of}" if len(kinds) == 1 else f"{kind}, of either"
        rows.append((name, f"{len(times) / seconds:,.0f}", *map(str, shares)))
    return {"rows": rows, "wrong": found["wrong"]}
