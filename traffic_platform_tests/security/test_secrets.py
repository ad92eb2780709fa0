"""The whole stack with Dagster and a secured Kafka: events arrive, and no secret leaks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from traffic_platform.settings import Settings
from traffic_platform.stack.processes import members
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.security.conftest import Traffic
from traffic_platform_tests.security.documented_acls import documented
from traffic_platform_tests.security.secured_kafka import PASSWORD, SecuredKafka

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'


@pytest.fixture
def dagster_url(postgres: PostgresServer, environment: dict[str, str]) -> Iterator[str]:
    """The test's own database for Dagster, also set in the environment."""
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "dagster")
    environment["TRAFFIC_DAGSTER_DATABASE_URL"] = postgres.service.url("dagster", name)
    environment["TRAFFIC_DAGSTER_PORT"] = "28000"
    yield environment["TRAFFIC_DAGSTER_DATABASE_URL"]
    with postgres.superuser() as connection:
        drop = sql.SQL("drop database {} with (force)")
        connection.execute(drop.format(sql.Identifier(name)))


def everything_stored(url: str) -> str:
    """Return all rows of all tables of a database as text."""
    tables = "select tablename from pg_tables where schemaname = 'public'"
    with psycopg.connect(url) as connection:
        rows = [
            row
            for (table,) in connection.execute(tables).fetchall()
            for (row,) in connection.execute(
                sql.SQL("select t::text from {} t").format(sql.Identifier(table))
            )
        ]
    return "\n".join(rows)


def arguments(home: Path) -> str:
    """Return the command lines of the stack's processes."""
    supervisor = json.loads((home / "run" / "state.json").read_text())["pid"]
    processes = [psutil.Process(supervisor), *members(str(home))]
    return "\n".join(" ".join(process.cmdline()) for process in processes)


def test_events_arrive_through_dagster_and_the_password_is_nowhere(
    dagster_url: str,
    secured: SecuredKafka,
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    traffic: Traffic,
) -> None:
    make_topic()
    make_topic(settings.events_topic)
    secured.allow(documented(settings, "ingest"))
    home = settings.home.resolve()
    try:
        started = traffic("up", "--detach")
        assert started.code == 0, started.err
        produce([EVENT] * 10)

        def stored() -> bool:
            with psycopg.connect(settings.endpoints().read_url) as connection:
                counted = connection.execute("select count(*) from traffic.raw_events")
                return counted.fetchone() == (10,)

        wait_until(stored, "the events", 90)
        status = traffic("status", "--json")
        assert json.loads(status.out)["healthy"], status
        output = arguments(home) + started.out + started.err + status.out + status.err
    finally:
        traffic("down")
    output += everything_stored(dagster_url)
    assert "ingest_events" in output
    written = [file for file in home.rglob("*") if file.is_file()]
    assert home / "logs" / "dagster-code.log" in written
    output += "\n".join(file.read_text(errors="replace") for file in written)
    assert PASSWORD not in output
    assert json.dumps(PASSWORD)[1:-1] not in output
