"""What the newest runs of jobs came to, as findings; and which runs are about the same thing."""

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
from traffic_platform.orchestration.checks.checks_job import CHECKS_JOB, CHECKS_OP
from traffic_platform.orchestration.rollups.rollup_assets import ROLLUPS_JOB
from traffic_platform.orchestration.schedules import CLOSED_DATE_CHECKS
from traffic_platform.orchestration.tags import WRITER
from traffic_platform.quality.problems import Finding, Problem

_RUNS: Final = 40  # newest runs of each job


def find_runs(instance: DagsterInstance, jobs: Iterable[str]) -> Iterator[Finding]:
    """Of each thing that a job is about (dates, a writer) the newest run that succeeded or failed.

    Those that were cancelled say nothing.
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
    """The same for runs of which a later one that succeeds says that an earlier one is mended."""
    about = [_dates(run), run.tags.get(WRITER, ""), _kind_of_checks(run)]
    return ":".join(["run", run.job_name, *filter(None, about)])


def _dates(run: DagsterRun) -> str:
    """The run's dates, `first:last`, be it of one date or of a range; empty where there are none.

    Each night's roll-ups are of another date, and catch up with what is dirty of any.
    """
    if run.job_name == ROLLUPS_JOB:
        return ""
    one = run.tags.get(PARTITION_NAME_TAG, "")
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, one)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, one)
    return f"{first}:{last}" if first and last else ""


def _kind_of_checks(run: DagsterRun) -> str:
    """Set for the checks of closed dates: half-hourly ones do not look at what these look at."""
    if run.job_name != CHECKS_JOB:
        return ""
    schedule = run.tags.get(SCHEDULE_NAME_TAG)
    closed = _asks_for_closed_dates(run) if schedule is None else schedule == CLOSED_DATE_CHECKS
    return CLOSED_DATE_CHECKS if closed else ""


def _asks_for_closed_dates(run: DagsterRun) -> bool:
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
        summary=f"Dagster's run {run.run_id} failed.",
        since=at,
        run_id=run.run_id,
        seen=at,
    )
