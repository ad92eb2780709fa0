"""Backfills after maintenance has compacted the audit and dropped raw days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from traffic_platform.reprocess import BackfillReport, backfill_dates
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.aged_stream import TOPIC, fill, grow_older
from traffic_platform_tests.integration.maintenance_tools import count, keep, proof
from traffic_platform_tests.integration.once import rows

ZONE = "America/Los_Angeles"
EVENTS = {"processed_events", "traffic_readings"}


@pytest.fixture
def filled(
    settings: Settings, owner: psycopg.Connection, make_topic: Callable[..., str], tmp_path: Path
) -> Settings:
    """A platform with new messages of all kinds, which archives raw days."""
    make_topic(partitions=2, **TOPIC)
    archive = tmp_path / "archive"
    changed = {"unknown_sensors": "quarantine", "publish": False, "archive": archive}
    platform = settings.model_copy(update=changed)
    fill(platform, owner)
    return platform


def dates(settings: Settings) -> list[date]:
    """Return all dates that audit rows name."""
    found = rows(
        settings,
        "select distinct day from traffic.micro_batches, unnest(event_dates) day order by day",
    )
    return [day for (day,) in found]


def total(report: BackfillReport, name: str) -> int:
    """Return the sum of a figure over all dates."""
    return sum(getattr(day, name) for day in report.dates)


def test_compacted_batches_are_backfilled_and_verified(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=3))
    assert keep(filled).compacted.rows > 0
    days = dates(filled)
    assert backfill_dates(filled, days).changes == 0
    owner.execute('delete from traffic.raw_events where "offset" between 3 and 9')
    owner.execute('delete from traffic.processed_events where "offset" between 10 and 14')
    owner.execute('delete from traffic.traffic_readings where "offset" > 15')
    restored = backfill_dates(filled, days)
    assert total(restored, "raw_restored") > 0
    assert total(restored, "events_added") > 0
    assert total(restored, "readings_added") > 0
    proof(filled)
    changed = filled.model_copy(update={"unknown_sensors": "register", "naive_timezone": ZONE})
    report = backfill_dates(changed, [*days, max(days) + timedelta(days=1)])
    assert total(report, "entered") > 0
    proof(changed)


def test_days_dropped_from_raw_are_backfilled_from_the_archive(
    filled: Settings, owner: psycopg.Connection
) -> None:
    days = dates(filled)
    grow_older(owner, timedelta(days=40))
    keep(filled)
    assert count(filled, "raw_events") == 0
    before = rows(filled, "select t::text from traffic.processed_events t order by 1")
    assert backfill_dates(filled, days, tables=EVENTS).changes == 0  # pyright: ignore
    owner.execute('update traffic.processed_events set speed = 1 where "offset" > 15')
    owner.execute('delete from traffic.processed_events where "offset" between 3 and 8')
    owner.execute("delete from traffic.traffic_readings")
    restored = backfill_dates(filled, days, tables=EVENTS)  # pyright: ignore
    assert total(restored, "events_added") > 0
    assert total(restored, "events_changed") > 0
    assert rows(filled, "select t::text from traffic.processed_events t order by 1") == before
    proof(filled)


def test_backfilled_rows_are_verified_after_they_are_dropped(
    filled: Settings, owner: psycopg.Connection
) -> None:
    changed = filled.model_copy(update={"unknown_sensors": "register", "naive_timezone": ZONE})
    report = backfill_dates(changed, dates(filled))
    assert total(report, "entered") > 0
    grow_older(owner, timedelta(days=100))
    keep(changed)
    assert count(changed, "raw_events") == 0
    assert count(changed, "processed_events") == 0
    proof(changed)
