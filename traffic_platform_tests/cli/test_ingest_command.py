"""`traffic ingest` with real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic

COMMAND = "from traffic_platform.cli import main; main()"
EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'
MIDNIGHT = b'{"sensor_id":"s2","timestamp":"2025-10-05T00:00:00Z","speed":60}'


def test_it_works_without_once_and_ends_when_all_messages_are_stored(
    traffic: Traffic, make_topic: Callable[..., str], produce: Callable[..., None]
) -> None:
    make_topic()
    produce([EVENT])
    stored = traffic("ingest", "--json")
    assert stored.code == 0, stored.err
    assert (stored.json["raw"], stored.json["lag"]) == (1, 0)


def test_a_refused_role_is_one_line_and_exit_code_1(
    settings: Settings, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = settings.endpoints().ingest_url
    wrong = url.replace(str(conninfo_to_dict(url)["password"]), "wrong")
    monkeypatch.setenv("TRAFFIC_INGEST_DATABASE_URL", wrong)
    result = traffic("ingest", "--once")
    assert result.code == 1
    assert result.err.startswith("PostgreSQL rejects the connection: ")
    assert result.err.count("\n") == 1


def test_the_totals_are_shown_by_partition_and_by_date(
    settings: Settings,
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    make_topic()
    produce([EVENT, MIDNIGHT, b"nonsense"], partition=2)
    produce([EVENT], partition=4)
    result = traffic("ingest", "--once", "--json")
    assert result.code == 0, result.err
    done = result.json
    assert (done["delivered"], done["raw"], done["processed"], done["quarantined"]) == (4, 4, 3, 1)
    results = ("inserted", "updated", "unchanged", "superseded")
    assert (sum(done[name] for name in results), done["lag"]) == (3, 0)
    sums = {row["partition"]: row for row in done["partitions"] if row["delivered"]}
    assert set(sums) == {2, 4}
    assert (sums[2]["first_offset"], sums[2]["next_offset"]) == (0, 3)
    assert (sums[2]["raw"], sums[2]["quarantined"]) == (3, 1)
    dates = {row["date"]: row["processed"] for row in done["dates"] if row["processed"]}
    assert dates == {"2025-10-04": 2, "2025-10-05": 1}
    with psycopg.connect(settings.endpoints().read_url) as reader:
        rolled_up = reader.execute(
            "select date::text, samples from traffic.readings_daily order by date"
        ).fetchall()
    assert rolled_up == [("2025-10-04", 1), ("2025-10-05", 1)]

    again = traffic("ingest", "--once", "--json").json
    assert (again["batches"], again["delivered"], again["partitions"]) == (0, 0, [])
    assert "By partition" not in traffic("ingest", "--once").out


def test_people_get_tables(
    traffic: Traffic, make_topic: Callable[..., str], produce: Callable[..., None]
) -> None:
    make_topic()
    produce([EVENT])
    result = traffic("ingest", "--once")
    assert result.code == 0, result.err
    assert "By partition" in result.out
    assert "2025-10-04T08:00:00Z" in result.out


def test_sigterm_ends_it_between_batches_and_the_next_call_resumes(
    settings: Settings,
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    environment: dict[str, str],
) -> None:
    make_topic(partitions=1)
    produce([EVENT] * 3_000, partition=0)
    url = settings.endpoints().owner_url
    with psycopg.connect(url) as blocker:
        # The first batch waits for this lock, so the signal arrives in the middle of it.
        blocker.execute("lock table traffic.micro_batches in share mode")
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "ingest", "--once", "--json"],
            env={**os.environ, **environment, "TRAFFIC_BATCH_MESSAGES": "1000"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with psycopg.connect(url, autocommit=True) as watcher:
            waiting = "select count(*) from pg_locks where not granted"
            while watcher.execute(waiting).fetchone() == (0,):
                assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    rest = traffic("ingest", "--once", "--json").json
    assert 0 < rest["delivered"] < 3_000
    with psycopg.connect(settings.endpoints().read_url) as connection:
        assert connection.execute("select count(*) from traffic.raw_events").fetchone() == (3_000,)
