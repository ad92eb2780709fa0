"""`traffic status --storage`: sizes for people and programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from traffic_platform.maintenance import maintain_tables
from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic
from traffic_platform_tests.integration.aged_stream import TOPIC, fill, grow_older


@pytest.fixture
def archive(
    settings: Settings, owner: psycopg.Connection, make_topic: Callable[..., str], tmp_path: Path
) -> Path:
    """A day of 21 messages in the archive, and 21 new messages."""
    make_topic(partitions=2, **TOPIC)
    folder = tmp_path / "archive"
    changed = {"unknown_sensors": "quarantine", "publish": False, "archive": folder}
    platform = settings.model_copy(update=changed)
    fill(platform, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    maintain_tables(platform)
    return folder


def test_programs_get_every_table_and_the_archive(
    traffic: Traffic, archive: Path, monkeypatch: pytest.MonkeyPatch, owner: psycopg.Connection
) -> None:
    owner.execute("analyze")
    monkeypatch.setenv("TRAFFIC_ARCHIVE", str(archive))
    found = traffic("status", "--storage", "--json").json["storage"]
    tables = {table["name"]: table for table in found["tables"]}
    assert {"raw_events", "processed_events", "traffic_readings", "micro_batches"} < set(tables)
    processed = tables["processed_events"]
    assert processed["rows"] > 0
    assert processed["partitions"] > 2
    assert (processed["oldest"], processed["newest"]) == ("2025-10-01", "2025-11-01")
    assert processed["total_bytes"] == processed["bytes"] + processed["index_bytes"] > 0
    audit = tables["micro_batches"]
    assert audit["oldest"] <= audit["newest"] <= datetime.now(UTC).date().isoformat()
    assert found["database_bytes"] > sum(table["total_bytes"] for table in found["tables"])
    assert (found["archive"]["rows"], found["archive"]["folder"]) == (21, str(archive))
    assert found["dagster"]["database_bytes"] > 0


def test_people_get_tables(
    traffic: Traffic, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_ARCHIVE", str(archive))
    out = traffic("status", "--storage").out
    assert "traffic_readings" in out
    assert "2025-10-01" in out
    assert f"The archive {archive} has 21 messages in " in out


def test_an_outage_is_listed_as_a_problem(traffic_alone: Traffic) -> None:
    result = traffic_alone("status", "--storage")
    assert result.code == 1
    assert "Problem: sizes: Kafka is not known" in result.out
