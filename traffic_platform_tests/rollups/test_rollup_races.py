"""Roll-ups beside other writers, on real connections, with waits at the critical points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import RollupResult, recompute, roll_up
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.periods import BEGINNING
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.rollups.readings import add_sensor, every
from traffic_platform_tests.rollups.rolled import deliver, everything, roll_up_everything, rolled

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
SATURDAY = date(2025, 10, 4)


@pytest.fixture
def settings(in_zone: Callable[..., Settings]) -> Settings:
    """Of the test's own database."""
    return in_zone()


@pytest.fixture
def other(settings: Settings) -> Iterator[psycopg.Connection]:
    """A second connection, which rolls up."""
    with psycopg.connect(settings.endpoints().ingest_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that wait."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


@contextmanager
def held(settings: Settings, table: str) -> Iterator[None]:
    """Nobody reads or writes a table meanwhile."""
    with psycopg.connect(settings.endpoints().owner_url) as holder:
        holder.execute(f"lock table traffic.{table} in access exclusive mode")  # pyright: ignore
        yield


def wait_for_waiting(owner: psycopg.Connection, count: int = 1) -> None:
    """Until so many connections wait for a lock."""
    while True:
        row = owner.execute(
            "select count(distinct pid) from pg_locks where not granted and database ="
            " (select oid from pg_database where datname = current_database())"
        ).fetchone()
        if row and row[0] >= count:
            return


def wait_for_import(postgres: PostgresServer, database: str) -> None:
    """Until an import of sensors has asked for the lock of roll-ups."""
    asked = (
        "select from pg_stat_activity where application_name = 'traffic sensors import'"
        " and datname = %s and query like '%%pg_try_advisory_xact_lock%%'"
    )
    with postgres.superuser() as superuser:
        while not superuser.execute(asked, (database,)).fetchall():
            pass


def assert_as_recomputed(owner: psycopg.Connection) -> None:
    """Nothing is dirty, and a recomputation changes nothing."""
    assert roll_up(owner).buckets == 0
    before = everything(owner)
    recompute(owner, [SATURDAY])
    assert everything(owner) == before


def test_readings_stored_during_a_roll_up_of_their_bucket_are_not_lost(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)  # it has taken the bucket out and read its readings
        deliver(owner, "a", every(60, NOON + timedelta(minutes=2), 2))
    assert rolling_up.result().buckets == 1
    assert [row["samples"] for row in rolled(owner, "readings_5min")] == [2]
    assert roll_up(other).buckets == 1
    assert [row["samples"] for row in rolled(owner, "readings_5min")] == [4]
    assert_as_recomputed(owner)


def test_buckets_of_an_open_transaction_wait_for_the_next_roll_up(
    owner: psycopg.Connection, other: psycopg.Connection
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 1))
    with owner.transaction():
        deliver(owner, "a", every(60, NOON + timedelta(minutes=1), 1))
        assert roll_up(other).buckets == 1
    assert [row["samples"] for row in rolled(owner, "readings_5min")] == [1]
    assert roll_up(other).buckets == 1
    assert [row["samples"] for row in rolled(owner, "readings_5min")] == [2]
    assert_as_recomputed(owner)


def test_the_second_of_two_roll_ups_does_nothing_and_loses_nothing(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)
        assert roll_up(owner) == RollupResult(busy=True)
    assert rolling_up.result().buckets == 1
    assert_as_recomputed(owner)


def test_roll_ups_that_meet_leave_no_error_in_the_log_of_the_server(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
    postgres: PostgresServer,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)
        assert roll_up(owner, wait_seconds=0.2).busy
    rolling_up.result()
    log = postgres.process.log.read_text(encoding="utf-8")
    database = f"@{owner.info.dbname} "
    assert [line for line in log.splitlines() if database in line and "ERROR" in line] == []


def test_a_queue_can_be_vacuumed_during_a_roll_up(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)
        owner.execute("set lock_timeout = '1s'")
        owner.execute("vacuum traffic.dirty_buckets")
    assert rolling_up.result().buckets == 1


def test_an_import_beside_a_roll_up_leaves_no_row_of_the_old_interval(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
    postgres: PostgresServer,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    record = SensorRecord(sensor_uuid("a"), "a", {"interval_s": 30}, BEGINNING)
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)  # it has read the old interval
        importing = pool.submit(store_sensors, settings, [record])
        wait_for_import(postgres, owner.info.dbname)
    rolling_up.result()
    importing.result()
    roll_up_everything(owner)
    assert {row["interval_s"] for row in rolled(owner, "readings_5min")} == {30}
    assert_as_recomputed(owner)


def test_a_recomputation_and_a_roll_up_wait_for_each_other(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        recomputing = pool.submit(recompute, other, [SATURDAY])
        wait_for_waiting(owner)
        assert roll_up(owner) == RollupResult(busy=True)
        deliver(owner, "a", every(60, NOON + timedelta(minutes=2), 2))
    recomputing.result()
    roll_up_everything(owner)
    assert [row["samples"] for row in rolled(owner, "readings_5min")] == [4]
    assert_as_recomputed(owner)


def test_a_roll_up_that_is_ended_changes_nothing(
    owner: psycopg.Connection,
    other: psycopg.Connection,
    settings: Settings,
    pool: ThreadPoolExecutor,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 2))
    with held(settings, "readings_daily"):
        rolling_up = pool.submit(roll_up, other)
        wait_for_waiting(owner)
        other.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            rolling_up.result()
    assert rolled(owner, "readings_5min") == []
    roll_up_everything(owner)
    assert [row["samples"] for row in rolled(owner, "readings_daily")] == [2]
    assert_as_recomputed(owner)
