"""Table maintenance in Dagster, on real servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    ExecuteInProcessResult,
    build_schedule_context,
)

from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.maintenance.table_maintenance import MAINTENANCE_JOB
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.aged_stream import TOPIC, fill, grow_older


@pytest.fixture
def aged(platform: Settings, owner: psycopg.Connection, make_topic: Callable[..., str]) -> Settings:
    """A stream that arrived 40 days ago."""
    make_topic(partitions=2, **TOPIC)
    changed = platform.model_copy(update={"unknown_sensors": "quarantine", "publish": False})
    fill(changed, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    return changed


def execute(settings: Settings, instance: DagsterInstance) -> ExecuteInProcessResult:
    """A run of the job, in this process."""
    job = build_definitions(settings).resolve_job_def(MAINTENANCE_JOB)
    return job.execute_in_process(instance=instance)


def wanted(settings: Settings, instance: DagsterInstance) -> bool:
    """True if the schedule requests a run now."""
    schedule = build_definitions(settings).get_repository_def().get_schedule_def(MAINTENANCE_JOB)
    return bool(schedule.evaluate_tick(build_schedule_context(instance)).run_requests)


def figures(result: ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the step."""
    [output] = [e for e in result.all_events if e.event_type is DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def test_a_run_reports_created_partitions_compacted_rows_and_dropped_partitions(
    aged: Settings, instance: DagsterInstance
) -> None:
    assert wanted(aged, instance)
    result = execute(aged, instance)
    found = figures(result)
    assert found["audit rows compacted"] > found["into audit rows"] > 0
    assert found["rows dropped"] == 21
    assert found["partitions created"] > 0
    assert "- raw_events_" in found["dropped"]
    assert "- processed_events_202510: its newest row arrived" in found["kept"]
    [record] = instance.fetch_observations(AssetKey("raw_events"), limit=5).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["rows dropped"].value == 21


def test_the_schedule_requests_a_run_only_while_there_is_work(
    aged: Settings, instance: DagsterInstance
) -> None:
    execute(aged, instance)
    assert not wanted(aged, instance)
    found = figures(execute(aged, instance))
    assert (found["partitions created"], found["partitions dropped"]) == (0, 0)


def test_the_schedule_waits_while_postgresql_is_unavailable(
    aged: Settings, instance: DagsterInstance
) -> None:
    nowhere = "postgresql://u:p@127.0.0.1:1/none"
    update = {
        name: type(aged.database_url)(nowhere)  # pyright: ignore
        for name in ("database_url", "read_database_url")
    }
    assert not wanted(aged.model_copy(update=update), instance)
