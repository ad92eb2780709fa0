"""Exports of a date as CSV and Parquet."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import served
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.rollups.readings import Reading, add_readings, add_sensor, every
from traffic_platform_tests.security.api.conftest import wait_for

DAWN = datetime(2025, 10, 4, tzinfo=UTC)
PATH = "/api/traffic/export/2025-10-04"
COLUMNS = [
    "id",
    "sensor_id",
    "external_id",
    "timestamp",
    "speed",
    "volume",
    "occupancy",
    "quality_score",
    "quality_flags",
]


def test_both_files_hold_every_reading_of_the_date_in_order(
    client: TestClient, owner: psycopg.Connection
) -> None:
    names = ["a", 'with "quotes",\nand lines']
    for name in names:
        add_sensor(owner, name)
        edges = [Reading(DAWN - timedelta(seconds=1)), Reading(DAWN + timedelta(days=1))]
        add_readings(owner, name, [*edges, *every(450, DAWN, 192)])
        late = DAWN + timedelta(hours=23, minutes=59, microseconds=7)
        add_readings(owner, name, [Reading(late, volume=None, occupancy=None)])
    wanted = owner.execute(
        'select r.id::text, r.sensor_id::text, s.external_id, r."timestamp", r.speed, r.volume,'
        " r.occupancy, r.quality_score, r.quality_flags from traffic.traffic_readings r"
        ' join traffic.sensors s using (sensor_id) where r."timestamp" >= %s'
        " and r.\"timestamp\" < %s::timestamptz + interval '1 day'"
        ' order by r."timestamp", r.sensor_id',
        (DAWN, DAWN),
    ).fetchall()
    assert len(wanted) == 386
    parquet = client.get(f"{PATH}.parquet")
    assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(parquet.content))
    assert table.column_names == COLUMNS
    assert [tuple(row.values()) for row in table.to_pylist()] == wanted
    text = client.get(f"{PATH}.csv")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="traffic-2025-10-04.csv"' in text.headers["content-disposition"]
    head, *rows = csv.reader(io.StringIO(text.text, newline=""))
    assert head == COLUMNS
    assert [row[:3] for row in rows] == [list(row[:3]) for row in wanted]
    assert [datetime.fromisoformat(row[3]) for row in rows] == [row[3] for row in wanted]
    assert rows[-1][3:7] == ["2025-10-04T23:59:00.000007Z", "55", "", ""]
    assert str(sensor_uuid("a")) in text.text


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_date_without_readings_is_a_file_without_rows(client: TestClient, suffix: str) -> None:
    answer = client.get(f"/api/traffic/export/2025-10-05.{suffix}")
    assert answer.status_code == 200
    if suffix == "csv":
        assert answer.text == f"{','.join(COLUMNS)}\n"
    else:
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0
    wrong = client.get(f"/api/traffic/export/today.{suffix}")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "date")


def test_clients_that_disconnect_early_free_their_connections(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    """More clients disconnect than there are connections for exports. The next gets everything."""
    add_sensor(owner, "s")
    add_readings(owner, "s", every(1, DAWN, 60_000))
    with served(create_app(api_settings())) as running:
        for _ in range(5):
            with httpx.stream("GET", f"{running.url}{PATH}.csv", timeout=60) as answer:
                assert len(next(answer.iter_bytes())) > 0
        answer = httpx.get(f"{running.url}{PATH}.csv", timeout=60)
        assert answer.text.count("\n") == 60_001


def test_slow_clients_hold_neither_a_snapshot_nor_a_connection(
    api_settings: Callable[..., Settings], owner: psycopg.Connection, postgres: PostgresServer
) -> None:
    """Three clients stop reading. PostgreSQL is done with them, and the next client is served."""
    for number in range(100):
        add_sensor(owner, f"sensor-{number}")
    _fill(owner, DAWN, moments=1200)  # more than the buffers of a connection hold
    with served(create_app(api_settings())) as running, ExitStack() as stack:
        slow_readers = []  # a reader that is collected closes its connection
        for _ in range(3):
            # A small buffer of the client, so that the server's writes wait for it.
            small = httpx.HTTPTransport(
                socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
            )
            client = stack.enter_context(httpx.Client(transport=small, timeout=60))
            slow = stack.enter_context(client.stream("GET", f"{running.url}{PATH}.csv"))
            assert slow.status_code == 200
            slow_readers.append(slow.iter_bytes())
            assert len(next(slow_readers[-1])) > 0
        answer = httpx.get(f"{running.url}{PATH}.csv", timeout=60)
        assert answer.text.count("\n") == 120_001
        owner.autocommit = True  # each look sees the present
        wait_for(
            lambda: (
                not owner.execute(
                    "select from pg_stat_activity where application_name = 'traffic-api-export'"
                    " and datname = current_database() and xact_start is not null"
                ).fetchall()
            )
        )


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1-503-555", "'+1-503-555"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tindented", "'\tindented"),
        ("-41", "-41"),  # a plain number is harmless
        ("a=b", "a=b"),
    ],
)
def test_a_spreadsheet_executes_no_cell_of_a_csv_file(
    client: TestClient, owner: psycopg.Connection, name: str, cell: str
) -> None:
    add_sensor(owner, name)
    add_readings(owner, name, [Reading(DAWN)])
    _, row = csv.reader(io.StringIO(client.get(f"{PATH}.csv").text, newline=""))
    assert row[2] == cell
    parquet = pq.read_table(io.BytesIO(client.get(f"{PATH}.parquet").content))
    assert parquet.column("external_id").to_pylist() == [name]


def test_memory_does_not_grow_with_the_date(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    """The peak memory of the process, client included, stays below half the size of the export."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux shows the peak memory of a process and resets it")
    for number in range(100):
        add_sensor(owner, f"sensor-{number}")
    _fill(owner, DAWN, moments=3600)
    _fill(owner, DAWN + timedelta(days=1), moments=480)
    bound = 20_000_000
    with served(create_app(api_settings())) as running:
        for suffix in ("csv", "parquet"):
            # The first export loads libraries, which stay in memory.
            httpx.get(f"{running.url}/api/traffic/export/2025-10-05.{suffix}", timeout=60)
        for suffix, least in (("csv", 2 * bound), ("parquet", 1)):
            before = _reset_peak()
            size = 0
            with httpx.stream("GET", f"{running.url}{PATH}.{suffix}", timeout=60) as answer:
                for block in answer.iter_raw():
                    size += len(block)
            assert size >= least
            assert _memory("VmHWM") - before < bound, suffix


def _fill(owner: psycopg.Connection, dawn: datetime, moments: int) -> None:
    """Insert a reading of each sensor at `moments` times, spread evenly over a date."""
    owner.execute("select traffic.ensure_partition('traffic_readings', '2025-10-01')")
    owner.execute(
        'insert into traffic.traffic_readings (sensor_id, "timestamp", speed, volume, occupancy,'
        ' quality_score, quality_flags, broker_timestamp, topic_no, partition, "offset",'
        " created_at, updated_at) select sensor_id, at, 55, 900, 5, 1, 0, at, 1, 0, 1, at, at"
        " from generate_series(0, %(moments)s - 1) number"
        " cross join lateral (select %(dawn)s::timestamptz"
        " + number * interval '1 day' / %(moments)s as at) moment"
        " cross join traffic.sensors order by at, sensor_id",
        {"moments": moments, "dawn": dawn},
    )
    owner.execute("vacuum analyze traffic.traffic_readings")


def _reset_peak() -> int:
    """Reset the peak memory of this process (VmHWM); return its current memory in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return 1024 * int(found)
