"""Closed months of readings get an index in the order of pages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from traffic_platform.maintenance import index_closed_months as index_module
from traffic_platform.maintenance.index_closed_months import index_closed_months
from traffic_platform.maintenance.work_due import find_work
from traffic_platform.postgres.event_partitions import Partition
from traffic_platform.reprocess import backfill_dates
from traffic_platform.settings import Settings
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.integration.maintenance_tools import keep
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every

OCTOBER = Partition(datetime(2025, 10, 1, tzinfo=UTC).date(), "traffic_readings")
NOVEMBER_8 = datetime(2025, 11, 8, tzinfo=UTC)


@pytest.fixture
def october(settings: Settings, owner: psycopg.Connection) -> Settings:
    """Readings of October and November."""
    add_sensor(owner, "s")
    for month in (10, 11):
        add_readings(owner, "s", every(30, datetime(2025, month, 4, tzinfo=UTC), 10))
    return settings


def valid(owner: psycopg.Connection) -> dict[str, bool]:
    """Return the names of the indexes in the order of pages, each with True if it is valid."""
    return dict(
        owner.execute(
            "select indexrelid::regclass::text, indisvalid from pg_index"
            " where indexrelid::regclass::text like '%_in_order'"
        ).fetchall()
    )


def test_a_month_gets_its_index_a_week_after_its_end_and_once(
    october: Settings, owner: psycopg.Connection
) -> None:
    assert keep(october, now=datetime(2025, 11, 7, 23, tzinfo=UTC)).indexed == []
    assert OCTOBER in find_work(owner, october, NOVEMBER_8)
    assert keep(october, now=NOVEMBER_8).indexed == [OCTOBER]
    assert valid(owner) == {"traffic.traffic_readings_202510_in_order": True}
    assert keep(october, now=NOVEMBER_8).indexed == []
    assert OCTOBER not in find_work(owner, october, NOVEMBER_8)


def test_an_unfinished_index_is_created_again(october: Settings, owner: psycopg.Connection) -> None:
    url = october.endpoints().owner_url
    with ThreadPoolExecutor(1) as thread, psycopg.connect(url) as writer:
        writer.execute("lock table traffic.traffic_readings_202510 in row exclusive mode")
        creation = thread.submit(index_closed_months, url, NOVEMBER_8, lambda: False)
        wait_until(lambda: cancel(owner), "the index waits for the writer")
        with pytest.raises(psycopg.errors.QueryCanceled):
            creation.result()
    assert valid(owner) == {"traffic.traffic_readings_202510_in_order": False}
    assert index_closed_months(url, NOVEMBER_8, lambda: False) == [OCTOBER]
    assert valid(owner) == {"traffic.traffic_readings_202510_in_order": True}


def test_while_a_transaction_stays_open_it_is_left_for_the_next_time(
    october: Settings, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_LOCK_TIMEOUT", "300ms")
    url = october.endpoints().owner_url
    with psycopg.connect(url) as analyst:
        analyst.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        analyst.execute("select count(*) from traffic.traffic_readings_202510")
        assert keep(october, now=NOVEMBER_8).indexed == []
    assert keep(october, now=NOVEMBER_8).indexed == [OCTOBER]
    assert valid(owner) == {"traffic.traffic_readings_202510_in_order": True}


def test_nobody_waits_while_an_index_waits(october: Settings, owner: psycopg.Connection) -> None:
    url = october.endpoints().owner_url
    with ThreadPoolExecutor(1) as thread, psycopg.connect(url) as writer:
        writer.execute("lock table traffic.traffic_readings_202510 in row exclusive mode")
        creation = thread.submit(keep, october, now=NOVEMBER_8)
        wait_until(lambda: waiting(owner), "the index waits for the writer")
        # Neither another maintenance, which leaves the index to this one, nor a backfill.
        assert keep(october, now=NOVEMBER_8).indexed == []
        backfill_dates(october, [OCTOBER.day])
        writer.rollback()
        assert creation.result().indexed == [OCTOBER]


_WAITING = (
    "from pg_stat_activity"
    " where datname = current_database() and query like 'create index concurrently%'"
    " and wait_event = 'virtualxid'"
)


def waiting(owner: psycopg.Connection) -> bool:
    """Return True if a statement waits for an open transaction."""
    return owner.execute(f"select {_WAITING}").fetchone() is not None


def cancel(owner: psycopg.Connection) -> bool:
    """Cancel the statement that waits for an open transaction. Return False if there is none."""
    return owner.execute(f"select pg_cancel_backend(pid) {_WAITING}").fetchone() is not None
