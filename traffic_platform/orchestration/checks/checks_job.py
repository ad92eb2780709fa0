"""The job that runs checks by the clock: of the tables, and of some dates.

Not a job of the checks' own steps: it logs results for whatever dates it is asked about, without a
planned row for each, and leaves out what says the same as the last result.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    Config,
    Failure,
    JobDefinition,
    OpExecutionContext,
    in_process_executor,
    job,
    op,
)
from dagster._core.event_api import PartitionKeyFilter
from pydantic import Field

from traffic_platform.orchestration.checks.asset_checks import check_key
from traffic_platform.orchestration.checks.check_results import check_evaluation, says_something_new
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.quality.checks import CHECKS, Scope
from traffic_platform.settings import Settings

CHECKS_JOB: Final = "check_event_tables"
CHECKS_OP: Final = "check_events"
_MAX_RUNTIME_SECONDS = 1_200


class ChecksConfig(Config):
    """What to check beside the tables themselves."""

    dates: list[str] = Field(default=[], description="Dates (YYYY-MM-DD) to check as well.")
    closed: bool = Field(
        default=False,
        description="Whether the dates are over: then also the expectations on every row.",
    )


def checks_config(dates: Iterable[date], *, closed: bool) -> dict[str, Any]:
    """The configuration of a run that checks these dates."""
    days = [day.isoformat() for day in dates]
    return {"ops": {CHECKS_OP: {"config": {"dates": days, "closed": closed}}}}


def checks_job(settings: Settings) -> JobDefinition:
    """All checks of the tables, and those of the dates that the run is asked about."""

    @op(name=CHECKS_OP, description="Evaluates checks and logs what is new in their results.")
    def check_events(context: OpExecutionContext, config: ChecksConfig) -> None:
        seen = _Seen()
        _log_results(context, settings, [None], seen, closed=False)
        days = [date.fromisoformat(day) for day in config.dates]
        _log_results(context, settings, days, seen, closed=config.closed)
        failed = [event for event in seen.logged if not event.passed]
        context.log.info(f"{len(seen.logged)} results kept, {len(failed)} of checks that fail.")
        if seen.broken:
            names = ", ".join(sorted(seen.broken))
            raise Failure(f"These checks could not be evaluated: {names}.", allow_retries=False)

    @job(
        name=CHECKS_JOB,
        description="Evaluates the checks of the event tables, and of dates.",
        executor_def=in_process_executor,
        tags=housekeeping_tags("checks", _MAX_RUNTIME_SECONDS),
    )
    def check_event_tables() -> None:
        check_events()

    return check_event_tables


@dataclass
class _Seen:
    """Results that were kept, and names of checks that could not be evaluated."""

    logged: list[AssetCheckEvaluation] = field(default_factory=list[AssetCheckEvaluation])
    broken: set[str] = field(default_factory=set[str])


def _log_results(
    context: OpExecutionContext,
    settings: Settings,
    days: Iterable[date | None],
    seen: _Seen,
    *,
    closed: bool,
) -> None:
    from traffic_platform.quality.run import evaluate_checks

    for day in days:
        scope = Scope.TABLE if day is None else Scope.DATE
        checks = [one for one in CHECKS if one.scope is scope and (closed or not one.heavy)]
        before = _newest(context, [check_key(one) for one in checks], day)
        for result in evaluate_checks(settings, checks, day):
            if result.outcome.broken:
                seen.broken.add(result.check.name)
            evaluation = check_evaluation(result, day)
            known, at = before.get(evaluation.asset_check_key, (None, datetime.now(UTC)))
            if says_something_new(evaluation, known, datetime.now(UTC) - at):
                context.log_event(evaluation)  # pyright: ignore[reportArgumentType]
                seen.logged.append(evaluation)


def _newest(
    context: OpExecutionContext, keys: list[AssetCheckKey], day: date | None
) -> Mapping[AssetCheckKey, tuple[AssetCheckEvaluation | None, datetime]]:
    """The newest result of each check for the date, with its time."""
    records = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(
        keys, partition_filter=PartitionKeyFilter(key=day.isoformat() if day else None)
    )
    found: dict[AssetCheckKey, tuple[AssetCheckEvaluation | None, datetime]] = {}
    for key, record in records.items():
        # Of a run by hand that has not come to it there is only the plan.
        evaluation = (
            record.evaluation if isinstance(record.evaluation, AssetCheckEvaluation) else None
        )
        found[key] = evaluation, datetime.fromtimestamp(record.create_timestamp, UTC)
    return found
