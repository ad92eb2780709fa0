"""The sensor that tells a webhook of checks and runs that fail, and when they heal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from traffic_platform.events.texts import utc_text
from traffic_platform.orchestration.alerts.run_findings import find_runs
from traffic_platform.orchestration.backfill.ledger_dates import LATE_LOOK_BACK
from traffic_platform.orchestration.checks.asset_checks import check_key
from traffic_platform.orchestration.checks.check_results import affected
from traffic_platform.quality.alerts import AlertState, WebhookError
from traffic_platform.quality.check_context import ARRIVAL_MARGIN
from traffic_platform.quality.checks import CHECKS, Check
from traffic_platform.quality.problems import Finding, Problem
from traffic_platform.settings import Settings

ALERTS_SENSOR: Final = "alerts"

_EVERY_SECONDS = 120  # a tick is a row in Dagster's storage
# Newest results that are looked at for each check: of some dates, and those kept of a day. A run
# for many dates is read to its end, up to so many results.
_RESULTS = 30
_MOST_RESULTS = 400


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
        state.observe(
            find_results(context.instance, jobs, settings.timezone),
            since=utc_text(datetime.now(UTC) - LATE_LOOK_BACK),
        )
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
    yield from find_runs(instance, jobs)


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
    seen: set[str | None] = set()
    for record in _newest_records(instance, key):
        evaluation = record.evaluation
        if not isinstance(evaluation, AssetCheckEvaluation):
            continue  # planned, and not come to yet
        if evaluation.partition not in seen:
            seen.add(evaluation.partition)
            yield evaluation, record.run_id, record.create_timestamp


def _newest_records(
    instance: DagsterInstance, key: AssetCheckKey
) -> list[AssetCheckExecutionRecord]:
    """The newest results, and all others of the runs that these are of."""
    read_history = instance.event_log_storage.get_asset_check_execution_history
    # One more than counts: it tells whether the oldest run that counts has more.
    records = list(read_history(key, limit=_RESULTS + 1))
    runs = {record.run_id for record in records[:_RESULTS]}
    page = records
    while page and page[-1].run_id in runs and _RESULTS < len(records) < _MOST_RESULTS:
        most = min(100, _MOST_RESULTS - len(records))
        page = list(read_history(key, limit=most, cursor=records[-1].id))
        records += page
    return [record for record in records if record.run_id in runs]


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


def _text(seconds: float) -> str:
    return utc_text(datetime.fromtimestamp(seconds, UTC))
