"""Upkeep of what arrived long ago: what goes, what stays, and that all of it is proved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from traffic_platform.ingest.upkeep import UpkeepReport, keep_tables
from traffic_platform.ingest.upkeep.fold import fold
from traffic_platform.ingest.upkeep.patience import Patience
from traffic_platform.ingest.verify import VerifyReport, verify
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.aged_stream import (
    TOPIC,
    fill,
    grow_older,
)
from traffic_platform_tests.integration.once import rows

MONTHS = ("processed_events_202510", "processed_events_202511")


@pytest.fixture
def platform(settings: Settings, make_topic: Callable[..., str]) -> Settings:
    """Two partitions, known sensors only, and nothing is published."""
    make_topic(partitions=2, **TOPIC)
    return settings.model_copy(update={"unknown_sensors": "quarantine", "publish": False})


def keep(settings: Settings, **options: Any) -> UpkeepReport:
    """One upkeep."""
    return keep_tables(settings, patience=Patience(seconds=1), **options)


def proof(settings: Settings) -> VerifyReport:
    """What a deep verification says, which must find no difference."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    return report


def partitions(settings: Settings, parent: str) -> set[str]:
    """Names of the partitions of a table."""
    query = (
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = %s::regclass"
    )
    return {name for (name,) in rows(settings, query, (f"traffic.{parent}",))}


def audit(settings: Settings) -> list[tuple[Any, ...]]:
    """Sums over all audit rows, and how many there are."""
    return rows(
        settings,
        "select sum(delivered), sum(raw), sum(processed), sum(quarantined), sum(inserted),"
        " sum(updated), sum(unchanged), sum(batches), count(*) from traffic.micro_batches",
    )


def test_folded_hours_keep_their_sums_and_are_proved(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner)
    before = audit(platform)[0]
    grow_older(owner, timedelta(days=3))
    proof(platform)
    folded = fold(owner, platform, datetime.now(UTC))
    after = audit(platform)[0]
    assert after[:-1] == before[:-1]
    assert folded.rows - folded.into == before[-1] - after[-1] > 0
    report = proof(platform)
    assert report.by_sums.folded_batches == folded.rows
    assert report.by_sums.folded_into == folded.into
    assert fold(owner, platform, datetime.now(UTC)).rows == 0


def test_what_arrived_long_ago_goes_and_what_is_left_is_proved(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner)
    grow_older(owner, timedelta(days=40))
    report = keep(platform)
    dropped = [gone.partition.name for gone in report.retired.dropped]
    assert dropped, report.retired
    assert all(name.startswith("raw_events") for name in dropped)
    proved = proof(platform)
    assert proved.by_sums.raw_events == 8 * 6 + 5
    assert rows(platform, "select count(*) from traffic.raw_events") == [(0,)]
    assert proved.rows["traffic_readings"] > 0

    grow_older(owner, timedelta(days=60))
    report = keep(platform)
    assert {*MONTHS} <= {gone.partition.name for gone in report.retired.dropped}
    proved = proof(platform)
    assert proved.by_sums.processed_events > 0
    assert rows(platform, "select count(*) from traffic.processed_events") == [(0,)]
    assert proved.rows["traffic_readings"] > 0
