"""Backfills of dates in Dagster, on real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
from dagster import DagsterEventType, DagsterInstance, ExecuteInProcessResult

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.orchestration.backfill.backfill_job import BACKFILL_ASSETS, BACKFILL_JOB
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.keys import PROCESSED_EVENTS, RAW_EVENTS, TRAFFIC_READINGS
from traffic_platform.settings import Settings

RANGE = {
    "dagster/asset_partition_range_start": "2025-10-04",
    "dagster/asset_partition_range_end": "2025-10-06",
}
LIMITS = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True)


def fill(settings: Settings, make_topic: Callable[..., str], produce: Callable[..., None]) -> None:
    """Two dates of ten events each."""
    make_topic()
    produce(
        json.dumps(
            {"sensor_id": "s1", "timestamp": f"2025-10-{day:02}T10:{minute:02}:00Z", "speed": 60.0}
        ).encode()
        for day in (4, 5)
        for minute in range(10)
    )
    topics = [settings.raw_topic]
    run_ingest(settings, topics, limits=LIMITS, run_id=None, stop=lambda: False)


def execute(
    settings: Settings, instance: DagsterInstance, **options: Any
) -> ExecuteInProcessResult:
    """A run of the job, in this process."""
    job = build_definitions(settings).resolve_job_def(BACKFILL_JOB)
    return job.execute_in_process(instance=instance, **options)


def figures(instance: DagsterInstance, run_id: str, table: str) -> dict[str | None, dict[str, Any]]:
    """The metadata of a table's dates in a run."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    events = [record.event_log_entry.asset_materialization for record in records.records]
    return {
        event.partition: {name: value.value for name, value in event.metadata.items()}
        for event in events
        if event is not None and event.asset_key.path == [table]
    }


def change(settings: Settings, statement: str) -> int:
    """Change rows by hand; return how many."""
    with psycopg.connect(settings.endpoints().owner_url) as owner:
        return owner.execute(statement).rowcount  # pyright: ignore[reportArgumentType]


def test_one_run_backfills_a_range_of_dates_and_reports_figures_for_each(
    platform: Settings,
    instance: DagsterInstance,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    fill(platform, make_topic, produce)
    day = "where \"timestamp\" < '2025-10-05'"
    assert change(platform, f"delete from traffic.traffic_readings {day}") == 10
    result = execute(platform, instance, tags=RANGE)
    assert result.success
    added = figures(instance, result.run_id, "traffic_readings")
    assert {date: one["readings added"] for date, one in added.items()} == {
        "2025-10-04": 10, "2025-10-05": 0, "2025-10-06": 0
    }  # fmt: skip
    rolled = figures(instance, result.run_id, "readings_5min")
    assert {date: one["rows added"] for date, one in rolled.items()} == {
        "2025-10-04": 2, "2025-10-05": 2, "2025-10-06": 0
    }  # fmt: skip
    for key in BACKFILL_ASSETS:
        assert instance.get_materialized_partitions(key) == set(added), key


def test_one_table_of_one_date_is_backfilled_alone(
    platform: Settings,
    instance: DagsterInstance,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    fill(platform, make_topic, produce)
    change(platform, "delete from traffic.traffic_readings")
    result = execute(
        platform, instance, partition_key="2025-10-05", asset_selection=[TRAFFIC_READINGS]
    )
    assert result.success
    assert instance.get_materialized_partitions(TRAFFIC_READINGS) == {"2025-10-05"}
    assert instance.get_materialized_partitions(PROCESSED_EVENTS) == set()
    assert instance.get_materialized_partitions(RAW_EVENTS) == set()
    with psycopg.connect(platform.endpoints().read_url) as connection:
        assert connection.execute("select count(*) from traffic.traffic_readings").fetchone() == (
            10,
        )
