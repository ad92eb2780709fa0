"""The purge of Dagster's storage keeps the newest results of dates and checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from dagster import (
    AssetCheckResult,
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    DailyPartitionsDefinition,
    asset,
    asset_check,
    materialize,
)
from dagster._core.test_utils import create_run_for_test

from traffic_platform.orchestration.maintenance.dagster_retention import RUN_DAYS, Purged, purge

TABLE = AssetKey("table")
SATURDAY, SUNDAY = "2025-10-04", "2025-10-05"


@asset(partitions_def=DailyPartitionsDefinition("2025-10-01"))
def table() -> None:
    """An asset with dates."""


@asset
def other() -> None:
    """An asset without dates."""


@asset_check(asset=other)
def holds() -> AssetCheckResult:
    """A check of it."""
    return AssetCheckResult(passed=True)


def run(instance: DagsterInstance, day: str) -> str:
    """Materialize a date; the run's id."""
    return materialize([table], instance=instance, partition_key=day).run_id


def check(instance: DagsterInstance) -> str:
    """Materialize the other asset and check it; the run's id."""
    return materialize([other, holds], instance=instance).run_id


def later(days: float = RUN_DAYS) -> datetime:
    """So many days and a minute from now."""
    return datetime.now(UTC) + timedelta(days=days, minutes=1)


def run_ids(instance: DagsterInstance) -> set[str]:
    """The ids of all runs."""
    return {record.run_id for record in instance.get_runs()}


def count(storage: psycopg.Connection, query: str) -> int:
    """The number that a query counts."""
    row = storage.execute(query).fetchone()  # pyright: ignore[reportArgumentType]
    assert row
    return int(row[0])


def test_nothing_is_deleted_before_its_time(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    ids = {run(instance, SATURDAY), run(instance, SATURDAY)}
    assert purge(instance, storage, later(RUN_DAYS - 1)) == Purged(0, 0, 0)
    assert run_ids(instance) == ids


def test_a_run_whose_dates_were_materialized_again_is_deleted_with_its_events(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    old, new = run(instance, SATURDAY), run(instance, SATURDAY)
    assert purge(instance, storage, later()).runs == 1
    assert run_ids(instance) == {new}
    assert count(storage, f"select count(*) from event_logs where run_id = '{old}'") == 0


def test_every_date_stays_materialized(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    for day in (SATURDAY, SUNDAY, SATURDAY):
        run(instance, day)
    purge(instance, storage, later())
    assert instance.get_materialized_partitions(TABLE) == {SATURDAY, SUNDAY}
    assert instance.get_latest_materialization_event(TABLE) is not None


def test_a_run_that_stays_keeps_only_its_newest_materialization(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    kept = run(instance, SATURDAY)
    assert purge(instance, storage, later()).events > 3
    left = storage.execute("select run_id, dagster_event_type from event_logs where run_id <> ''")
    assert left.fetchall() == [(kept, "ASSET_MATERIALIZATION")]


def test_failed_and_canceled_runs_are_deleted(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    for status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED):
        create_run_for_test(instance, status=status)
    assert purge(instance, storage, later()).runs == 2


def test_runs_in_progress_are_never_touched(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    for status in (
        DagsterRunStatus.NOT_STARTED,
        DagsterRunStatus.STARTING,
        DagsterRunStatus.STARTED,
        DagsterRunStatus.CANCELING,
    ):
        create_run_for_test(instance, status=status)
    assert purge(instance, storage, later(365)) == Purged(0, 0, 0)
    assert len(run_ids(instance)) == 4


def test_results_of_checks_are_deleted_with_their_runs_except_the_newest(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    for _ in range(3):
        newest = check(instance)
    rows = "select count(*) from asset_check_executions"
    assert count(storage, rows) == 3
    purged = purge(instance, storage, later())
    assert (purged.runs, purged.check_rows) == (2, 2)
    assert count(storage, f"{rows} where run_id = '{newest}'") == 1


def test_a_second_purge_deletes_nothing(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    for _ in range(2):
        check(instance)
    purge(instance, storage, later())
    assert purge(instance, storage, later()) == Purged(0, 0, 0)
