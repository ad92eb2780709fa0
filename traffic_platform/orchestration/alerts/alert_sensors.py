"""The sensor that tells a webhook when checks and runs fail, and when they pass again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    DagsterInstance,
    DefaultSensorStatus,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from traffic_platform.detector_health.local_day import local_day
from traffic_platform.errors import TransientError
from traffic_platform.events.texts import utc_text
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.orchestration.alerts.run_findings import find_runs
from traffic_platform.orchestration.changed_dates import LATE_LOOK_BACK
from traffic_platform.orchestration.checks.asset_checks import check_key
from traffic_platform.orchestration.checks.check_results import affected
from traffic_platform.quality.alerts import AlertState, WebhookError
from traffic_platform.quality.check import Check
from traffic_platform.quality.check_context import ARRIVAL_MARGIN
from traffic_platform.quality.checks import CHECKS
from traffic_platform.quality.problems import Finding, Problem
from traffic_platform.settings import Settings

ALERTS_SENSOR: Final = "alerts"

# Earlier names of jobs. Alerts that were open under them go on under the new name, and heal there.
RENAMED_JOBS: Final = {"ingest_window": "ingest_events", "keep_tables": "maintain_tables"}

_EVERY_SECONDS = 120  # a tick is a row in Dagster's storage
# Newest results read for each check: some dates, and those stored within a day. If a run has many
# dates, all its results are read, up to the second number.
_RESULTS = 30
_MOST_RESULTS = 400


def alert_sensors(settings: Settings, jobs: Sequence[str]) -> list[SensorDefinition]:
    """Return the sensor if `alert_webhook_url` is set.

    It reads the newest results of each check and the newest runs of `jobs`. The cursor holds the
    problems that were reported. So each problem is reported once, however often and for however
    many dates it is found again, once for everything else that it affects, and once when it heals.
    """
    if settings.alert_webhook_url is None:
        return []
    url, form = settings.alert_webhook_url.get_secret_value(), settings.alert_format

    @sensor(
        name=ALERTS_SENSOR,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Posts to the webhook of TRAFFIC_ALERT_WEBHOOK_URL when a check or a run fails, and"
            " when it passes again. docs/alerts.md describes the messages."
        ),
    )
    def alerts(context: SensorEvaluationContext) -> SkipReason:
        state = AlertState.from_json(context.cursor, RENAMED_JOBS)
        state.observe(
            [*find_results(context.instance, jobs, settings.timezone), *find_stall(settings)],
            since=utc_text(datetime.now(UTC) - LATE_LOOK_BACK),
        )
        try:
            summary = f"Sent {state.send(url, form)} messages; {len(state.open)} problems are open."
        except WebhookError as error:
            summary = f"{error}. {len(state.waiting)} messages wait for the next tick."
        context.update_cursor(state.to_json())
        return SkipReason(summary)

    return [alerts]


def find_stall(settings: Settings) -> list[Finding]:
    """Return the finding about the ledger's progress; none while a server does not answer."""
    now = _text(datetime.now(UTC).timestamp())
    try:
        with closing(LagReader(settings)) as reader:
            stall = reader.stall(reader.read(settings.ingest_topics))
    except TransientError:
        return []
    problem = Problem(
        key="ledger:stall",
        kind="ledger",
        name="the ledger stands still",
        subject="kafka_offsets",
        severity="ERROR",
        summary=f"{str(stall)[:1].upper()}{str(stall)[1:]}.",
        since=now,
        seen=now,
    )
    return [Finding(problem, passed=stall is None)]


def find_results(
    instance: DagsterInstance, jobs: Iterable[str], timezone: str
) -> Iterator[Finding]:
    """Yield a finding for each newest result of a check, with dates in this zone, and of a job."""
    for check in CHECKS:
        for evaluation, run_id, at in _newest_results(instance, check_key(check)):
            evaluated = evaluation.metadata.get("evaluated")
            if evaluated is None or evaluated.value:  # otherwise the result proves nothing
                yield Finding(
                    _check_problem(check, evaluation, run_id, at),
                    evaluation.passed,
                    final=_is_final(evaluation, at, timezone),
                )
    yield from find_runs(instance, jobs)


def _is_final(evaluation: AssetCheckEvaluation, at: float, timezone: str) -> bool:
    """Return True for a result of a table, or of a date that was over when it was checked."""
    if evaluation.partition is None:
        return True
    end = local_day(date.fromisoformat(evaluation.partition), timezone).end
    return datetime.fromtimestamp(at, UTC) >= end + ARRIVAL_MARGIN


def _newest_results(
    instance: DagsterInstance, key: AssetCheckKey
) -> Iterator[tuple[AssetCheckEvaluation, str, float]]:
    """Yield the newest result of a check for each date (or of the table), with run and time."""
    seen: set[str | None] = set()
    for record in _newest_records(instance, key):
        evaluation = record.evaluation
        if not isinstance(evaluation, AssetCheckEvaluation):
            continue  # planned but not evaluated yet
        if evaluation.partition not in seen:
            seen.add(evaluation.partition)
            yield evaluation, record.run_id, record.create_timestamp


def _newest_records(
    instance: DagsterInstance, key: AssetCheckKey
) -> list[AssetCheckExecutionRecord]:
    """Return the newest results, and all other results of their runs."""
    read_history = instance.event_log_storage.get_asset_check_execution_history
    # One more than needed: it shows if the oldest run has further results.
    records = list(read_history(key, limit=_RESULTS + 1))
    runs = {record.run_id for record in records[:_RESULTS]}
    page = records
    while page and page[-1].run_id in runs and _RESULTS < len(records) < _MOST_RESULTS:
        most = min(100, _MOST_RESULTS - len(records))
        page = list(read_history(key, limit=most, cursor=records[-1].id))
        records += page
    return [record for record in records if record.run_id in runs]


def _check_problem(
    check: Check, evaluation: AssetCheckEvaluation, run_id: str, at: float
) -> Problem:
    return Problem(
        key=f"check:{evaluation.check_name}:{evaluation.partition or ''}",
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


def _text(seconds: float) -> str:
    return utc_text(datetime.fromtimestamp(seconds, UTC))
