"""Findings about the newest runs of jobs, and the keys that group runs with the same subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    SCHEDULE_NAME_TAG,
)

from traffic_platform.events.texts import utc_text
from traffic_platform.orchestration.checks.check_schedules import CLOSED_DATE_CHECKS
from traffic_platform.orchestration.checks.checks_job import CHECKS_JOB, CHECKS_OP
from traffic_platform.orchestration.rollups.rollup_assets import ROLLUPS_JOB
from traffic_platform.orchestration.tags import WRITER
from traffic_platform.quality.problems import Finding, Problem

_RUNS: Final = 40  # newest runs of each job


def find_runs(instance: DagsterInstance, jobs: Iterable[str]) -> Iterator[Finding]:
    """Yield the newest run that succeeded or failed for each subject (dates, a writer) of a job.

    Canceled runs do not count.
    """
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    for job in jobs:
        records = instance.get_run_records(RunsFilter(job_name=job, statuses=ended), limit=_RUNS)
        newest: dict[str, RunRecord] = {}
        for record in sorted(records, key=lambda record: record.end_time or 0.0):
            newest[problem_key(record.dagster_run)] = record
        for key, record in newest.items():
            passed = record.dagster_run.status is not DagsterRunStatus.FAILURE
            yield Finding(_problem(key, record), passed)


def problem_key(run: DagsterRun) -> str:
    """Return the key of the run's subject: a later success with the same key heals a failure."""
    about = [_dates(run), run.tags.get(WRITER, ""), _kind_of_checks(run)]
    return ":".join(["run", run.job_name, *filter(None, about)])


def _dates(run: DagsterRun) -> str:
    """Return the run's dates as `first:last`, also for a single date; empty without dates.

    Nightly roll-ups have no dates here: each night's run also rolls up what earlier dates lack.
    """
    if run.job_name == ROLLUPS_JOB:
        return ""
    one = run.tags.get(PARTITION_NAME_TAG, "")
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, one)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, one)
    return f"{first}:{last}" if first and last else ""


def _kind_of_checks(run: DagsterRun) -> str:
    """Return a mark for the checks of closed dates, which half-hourly checks do not include."""
    if run.job_name != CHECKS_JOB:
        return ""
    schedule = run.tags.get(SCHEDULE_NAME_TAG)
    closed = _is_of_closed_dates(run) if schedule is None else schedule == CLOSED_DATE_CHECKS
    return CLOSED_DATE_CHECKS if closed else ""


def _is_of_closed_dates(run: DagsterRun) -> bool:
    found: Any = run.run_config
    for name in ("ops", CHECKS_OP, "config", "closed"):
        found = found.get(name) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return found is True


def _problem(key: str, record: RunRecord) -> Problem:
    run = record.dagster_run
    ended = record.end_time or record.update_timestamp.timestamp()
    at = utc_text(datetime.fromtimestamp(ended, UTC))
    return Problem(
        key=key,
        kind="run",
        name="the run failed",
        subject=run.job_name,
        severity="ERROR",
        summary=f"Dagster run {run.run_id} failed.",
        since=at,
        run_id=run.run_id,
        seen=at,
    )
