"""The scheduled job that checks the tables and the requested dates.

It does not run the steps of `asset_checks`. It logs results itself, so that any set of dates fits
in one run without planned rows, and it leaves out results that repeat the last one.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any, Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    Config,
    Failure,
    JobDefinition,
    OpExecutionContext,
    op,
)
from dagster._core.event_api import PartitionKeyFilter
from pydantic import Field

from traffic_platform.orchestration.checks.asset_checks import check_key
from traffic_platform.orchestration.checks.check_results import check_evaluation, is_news
from traffic_platform.orchestration.one_step_job import one_step_job
from traffic_platform.quality.check import Scope
from traffic_platform.quality.checks import CHECKS
from traffic_platform.quality.run import Result
from traffic_platform.settings import Settings

CHECKS_JOB: Final = "check_event_tables"
CHECKS_OP: Final = "check_events"
_MAX_RUNTIME_SECONDS = 1_200


class ChecksConfig(Config):
    """The dates to check in addition to the tables."""

    dates: list[str] = Field(
        default=[], description="Dates (YYYY-MM-DD) to check as well as the tables."
    )
    closed: bool = Field(
        default=False,
        description="True if the dates are over. Great Expectations then also checks every row.",
    )


def checks_config(dates: Iterable[date], *, closed: bool) -> dict[str, Any]:
    """Return the configuration of a run that checks these dates."""
    days = [day.isoformat() for day in dates]
    return {"ops": {CHECKS_OP: {"config": {"dates": days, "closed": closed}}}}


def checks_job(settings: Settings) -> JobDefinition:
    """Return the job that runs all checks of the tables and of the requested dates."""

    @op(name=CHECKS_OP, description="Evaluates the checks and stores the results that are news.")
    def check_events(context: OpExecutionContext, config: ChecksConfig) -> None:
        results = [
            found
            for day in chain([None], map(date.fromisoformat, config.dates))
            for found in _log_results(context, settings, day, closed=config.closed)
        ]
        stored = [result for result, news in results if news]
        failed = [result for result in stored if not result.outcome.passed]
        context.log.info(f"Stored {len(stored)} new results, {len(failed)} of failed checks.")
        broken = {result.check.name for result, _ in results if result.outcome.broken}
        if broken:
            names = ", ".join(sorted(broken))
            raise Failure(
                f"These checks could not run: {names}. Their results say why.", allow_retries=False
            )

    return one_step_job(
        check_events,
        CHECKS_JOB,
        "Checks the event tables and the requested dates. A failed check does not fail the"
        " run; see Checks of the table, and the check's runbook in docs/runbooks.",
        kind="checks",
        max_runtime_seconds=_MAX_RUNTIME_SECONDS,
    )


def _log_results(
    context: OpExecutionContext, settings: Settings, day: date | None, *, closed: bool
) -> Iterator[tuple[Result, bool]]:
    """Evaluate the checks of the tables (None) or of a date, and yield True for a stored result."""
    from traffic_platform.quality.run import evaluate_checks

    scope = Scope.TABLE if day is None else Scope.DATE
    checks = [one for one in CHECKS if one.scope is scope and (closed or not one.heavy)]
    before = _newest(context, [check_key(one) for one in checks], day)
    for result in evaluate_checks(settings, checks, day):
        evaluation = check_evaluation(result, day)
        known, at = before.get(evaluation.asset_check_key, (None, datetime.now(UTC)))
        news = is_news(evaluation, known, datetime.now(UTC) - at)
        if news:
            context.log_event(evaluation)  # pyright: ignore[reportArgumentType]
        yield result, news


def _newest(
    context: OpExecutionContext, keys: list[AssetCheckKey], day: date | None
) -> Mapping[AssetCheckKey, tuple[AssetCheckEvaluation | None, datetime]]:
    """Return the newest result of each check for the date, with its time."""
    records = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(
        keys, partition_filter=PartitionKeyFilter(key=day.isoformat() if day else None)
    )
    found: dict[AssetCheckKey, tuple[AssetCheckEvaluation | None, datetime]] = {}
    for key, record in records.items():
        # A run by hand that has not reached the check yet has only planned it.
        evaluation = (
            record.evaluation if isinstance(record.evaluation, AssetCheckEvaluation) else None
        )
        found[key] = evaluation, datetime.fromtimestamp(record.create_timestamp, UTC)
    return found
