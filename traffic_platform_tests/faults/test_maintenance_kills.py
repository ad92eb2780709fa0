"""Maintenance killed in the middle, and maintenance beside everything else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.integration.aged_stream import TOPIC, fill, grow_older, send
from traffic_platform_tests.integration.maintenance_tools import count, dropped, keep, proof, sums
from traffic_platform_tests.integration.once import event, rows


@pytest.fixture
def platform(settings: Settings, make_topic: Callable[..., str], tmp_path: Path) -> Settings:
    """Two partitions, known sensors only, nothing published, raw days archived."""
    make_topic(partitions=2, **TOPIC)
    changed = {"unknown_sensors": "quarantine", "publish": False, "archive": tmp_path / "archive"}
    return settings.model_copy(update=changed)


@pytest.fixture
def variables(platform: Settings, environment: dict[str, str]) -> dict[str, str]:
    """Environment variables of a process with the settings of the platform."""
    return {
        **os.environ,
        **environment,
        "TRAFFIC_UNKNOWN_SENSORS": "quarantine",
        "TRAFFIC_PUBLISH": "false",
        "TRAFFIC_ARCHIVE": str(platform.archive),
    }


def maintain(variables: dict[str, str], fault: str = "") -> subprocess.CompletedProcess[str]:
    """Run maintenance in its own process."""
    return subprocess.run(
        [sys.executable, "-m", "traffic_platform_tests.faults.maintenance"],
        env={**variables, "TRAFFIC_FAULT_POINT": fault},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "fault", ["before_compaction_commit:1", "before_compaction_commit:2", "after_archive:1"]
)
def test_killed_maintenance_has_done_whole_steps_and_the_next_run_continues(
    platform: Settings, owner: psycopg.Connection, variables: dict[str, str], fault: str
) -> None:
    fill(platform, owner)
    before, messages = sums(platform), count(platform, "raw_events")
    grow_older(owner, timedelta(days=40))
    killed = maintain(variables, fault)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sums(platform) == before
    assert proof(platform).by_sums.raw_events in (0, messages)
    again = maintain(variables)
    assert again.returncode == 0, again.stderr
    assert sums(platform) == before
    assert proof(platform).by_sums.raw_events == messages
    assert count(platform, "raw_events") == 0


@pytest.mark.parametrize("nth", [1, 2])
def test_a_drop_that_is_killed_has_dropped_nothing_of_its_partition(
    platform: Settings, owner: psycopg.Connection, variables: dict[str, str], nth: int
) -> None:
    fill(platform, owner)
    grow_older(owner, timedelta(days=100))
    events = count(platform, "processed_events")
    killed = maintain(variables, f"before_drop_commit:{nth}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    proof(platform)
    assert maintain(variables).returncode == 0
    assert proof(platform).by_sums.processed_events == events


def test_compaction_and_retention_work_beside_a_live_run(
    platform: Settings, owner: psycopg.Connection, variables: dict[str, str], tmp_path: Path
) -> None:
    fill(platform, owner)
    grow_older(owner, timedelta(days=40))
    ingest_run = RunProcess(
        variables,
        tmp_path / "ingest-run.log",
        run_id="live",
        writer=0,
        writers=1,
        limits={},
        topics=[platform.raw_topic],
    )
    try:
        for number in range(4):
            send(platform, [event("a", 1_000 + number), b"broken"], partition=number % 2)
            result = compact_audit(owner, platform, datetime.now(UTC), rows_at_a_time=2)
            assert (result.rows > 0) == (number == 0)
            keep(platform)
            assert verify(platform, deep=False).holds
        sent = "select count(*) = 8 from traffic.raw_events"
        wait_until(lambda: rows(platform, sent) == [(True,)], "every message is stored")
        done = ingest_run.end()
    finally:
        ingest_run.kill()
    assert done["raw"] == 8
    proof(platform)


def test_a_month_that_is_dropped_under_a_live_run_is_created_again(
    platform: Settings, owner: psycopg.Connection, variables: dict[str, str], tmp_path: Path
) -> None:
    fill(platform, owner, hours=1)
    stored = "select exists (select from traffic.micro_batches where run_id = 'live')"
    ingest_run = RunProcess(
        variables,
        tmp_path / "ingest-run.log",
        run_id="live",
        writer=0,
        writers=1,
        limits={},
        topics=[platform.raw_topic],
    )
    try:
        for number in range(2):
            send(platform, [event("a", 1_000 + number)], partition=0)
            wait_until(lambda: rows(platform, stored) == [(True,)], "the message is stored")
            if number == 0:
                grow_older(owner, timedelta(days=100))
                assert "processed_events_202510" in dropped(keep(platform))
                owner.execute("update traffic.micro_batches set run_id = null")
        done = ingest_run.end()
    finally:
        ingest_run.kill()
    assert done["raw"] == 2
    assert count(platform, "processed_events") == 1
    proof(platform)
