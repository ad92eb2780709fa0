"""The sensor that tells a webhook of checks and runs that fail, and when they heal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRecord,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from traffic_platform.derived.local_day import local_day
from traffic_platform.events.texts import utc_text
from traffic_platform.orchestration.checks import check_key
from traffic_platform.orchestration.checks_results import affected
from traffic_platform.orchestration.tags import WRITER
from traffic_platform.quality.alerts import AlertState, WebhookError
from traffic_platform.quality.checks import CHECKS, Check
from traffic_platform.quality.look import ARRIVAL_MARGIN
from traffic_platform.quality.problems import Finding, Problem
from traffic_platform.settings import Settings

ALERTS_SENSOR: Final = "alerts"

_EVERY_SECONDS = 120  # a tick is a row in Dagster's storage
# Newest results that are looked at for each check: of some dates, and those kept of a day.
_RESULTS = 30
_RUNS = 40  # newest runs of each job
# What tells runs of one job apart.
_ABOUT = (
    PARTITION_NAME_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    ASSET_PARTITION_RANGE_END_TAG,
    WRITER,
)


def alert_sensors(settings: Settings, jobs: Sequence[str]) -> list[SensorDefinition]:
    """The sensor, where `alert_webhook_url` is set: only then is there somebody to be told.

    It looks at the newest results of each check and the newest runs of `jobs`. The cursor holds
    what has been told, so a problem is told once, however often and for however many dates it is
    found again, then what else it affects, and once when it has healed.
    """
    if settings.alert_webhook_url is None:
        return []
    url, form = settings.alert_webhook_url.get_secret_value(), settings.alert_format

    @sensor(
        name=ALERTS_SENSOR,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Posts to a webhook, once, when a check or a run fails, and when it is well.",
    )
    def alerts(context: SensorEvaluationContext) -> SkipReason:
        state = AlertState.from_json(context.cursor)
        state.look(find_results(context.instance, jobs, settings.timezone))
        try:
            said = f"{state.tell(url, form)} messages told, {len(state.open)} problems open."
        except WebhookError as error:
            said = f"{error}; {len(state.waiting)} messages wait for it."
        context.update_cursor(state.to_json())
        return SkipReason(said)

    return [alerts]


def find_results(
    instance: DagsterInstance, jobs: Iterable[str], timezone: str
) -> Iterator[Finding]:
    """What checks (of dates in this zone) and jobs came to by their newest results."""
    for check in CHECKS:
        for evaluation, run_id, at in _newest_results(instance, check_key(check)):
            evaluated = evaluation.metadata.get("evaluated")
            if evaluated is None or evaluated.value:  # else nobody could say
                yield Finding(
                    _check_problem(check, evaluation, run_id, at),
                    evaluation.passed,
                    final=_is_final(evaluation, at, timezone),
                )
    for job in jobs:
        for record in _newest_ended(instance, job):
            passed = record.dagster_run.status is not DagsterRunStatus.FAILURE
            yield Finding(_run_problem(record), passed)


def _is_final(evaluation: AssetCheckEvaluation, at: float, timezone: str) -> bool:
    """Whether a result is of a table, or of a date that was over when it was made."""
    if evaluation.partition is None:
        return True
    end = local_day(date.fromisoformat(evaluation.partition), timezone).end
    return datetime.fromtimestamp(at, UTC) >= end + ARRIVAL_MARGIN


def _newest_results(
    instance: DagsterInstance, key: AssetCheckKey
) -> Iterator[tuple[AssetCheckEvaluation, str, float]]:
    """The newest result of a check for each date (and for none), with its run and time."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=_RESULTS)
    seen: set[str | None] = set()
    for record in records:
        evaluation = record.evaluation
        if not isinstance(evaluation, AssetCheckEvaluation):
            continue  # planned, and not come to yet
        if evaluation.partition not in seen:
            seen.add(evaluation.partition)
            yield evaluation, record.run_id, record.create_timestamp


def _newest_ended(instance: DagsterInstance, job: str) -> list[RunRecord]:
    """Of each thing that a job is about (dates, a writer) the newest run that succeeded or failed.

    Those that were cancelled say nothing.
    """
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    records = instance.get_run_records(RunsFilter(job_name=job, statuses=ended), limit=_RUNS)
    newest: dict[str, RunRecord] = {}
    for record in sorted(records, key=lambda record: record.end_time or 0.0):
        newest[_run_problem_key(record.dagster_run)] = record
    return list(newest.values())


def _check_problem_key(evaluation: AssetCheckEvaluation) -> str:
    return f"check:{evaluation.check_name}:{evaluation.partition or ''}"


def _check_problem(
    check: Check, evaluation: AssetCheckEvaluation, run_id: str, at: float
) -> Problem:
    return Problem(
        key=_check_problem_key(evaluation),
        kind="check",
        name=check.name,
        subject=check.table,
        severity=evaluation.severity.value,
        summary=evaluation.description or "It failed.",
        since=_text(at),
        date=evaluation.partition,
        runbook=check.runbook,
        run_id=run_id,
        affected=affected(evaluation),
        seen=_text(at),
    )


def _run_problem_key(run: DagsterRun) -> str:
    about = [run.tags[tag] for tag in _ABOUT if tag in run.tags]
    return ":".join(["run", run.job_name, *about])


def _run_problem(record: RunRecord) -> Problem:
    run = record.dagster_run
    return Problem(
        key=_run_problem_key(run),
        kind="run",
        name="the run failed",
        subject=run.job_name,
        severity="ERROR",
        summary=f"Dagster's run {run.run_id} failed.",
        since=_text(record.end_time or record.update_timestamp.timestamp()),
        run_id=run.run_id,
    )


def _text(seconds: float) -> str:
    return utc_text(datetime.fromtimestamp(seconds, UTC))
