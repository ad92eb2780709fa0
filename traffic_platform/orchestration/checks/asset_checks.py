"""The asset checks as Dagster shows them, and as people run them: for the tables, and for dates.

Never in a window: there a check without a date would leave a planned row behind for every run, and
a failing one would look like a failing stream. `checks_job` runs them by the clock.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

import warnings
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetSelection,
    Failure,
    Output,
    PartitionsDefinition,
    PreviewWarning,
    multi_asset_check,
)

from traffic_platform.orchestration.checks.check_results import check_evaluation
from traffic_platform.orchestration.ingest.event_tables_asset import sql_links
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.quality.checks import CHECKS, Check, Scope
from traffic_platform.settings import Settings

TABLES_STEP: Final = "event_table_checks"
DATES_STEP: Final = "event_date_checks"


def table_checks(settings: Settings) -> AssetChecksDefinition:
    """The checks of the tables as they are now, as one step that reads as the reading role."""
    checks = [check for check in CHECKS if check.scope is Scope.TABLE]

    @multi_asset_check(
        name=TABLES_STEP,
        description="Looks at catalogue, ledger and newest rows; `traffic verify` at all rows.",
        specs=[_spec(check, None) for check in checks],
        can_subset=True,
    )
    def evaluate_tables(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        yield from _evaluate(context, settings, checks, [None])

    return evaluate_tables


def date_checks(settings: Settings) -> AssetChecksDefinition:
    """The checks of dates, as one step: for one date, or for each of a range."""
    checks = [check for check in CHECKS if check.scope is Scope.DATE]
    dates = event_dates(settings)

    @multi_asset_check(
        name=DATES_STEP,
        description="Looks at all rows of a date, and at samples of the days before.",
        specs=[_spec(check, dates) for check in checks],
        can_subset=True,
    )
    def evaluate_dates(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        yield from _evaluate(context, settings, checks, _dates_asked_for(context, settings))

    return evaluate_dates


def _dates_asked_for(context: AssetCheckExecutionContext, settings: Settings) -> list[date]:
    """The run's dates; Dagster's buttons ask for none: the newest that data came for lately."""
    if context.has_partition_key or context.has_partition_key_range:
        return [date.fromisoformat(key) for key in context.partition_keys]
    from traffic_platform.quality.run import newest_date

    day = newest_date(settings)
    if day is None:
        raise Failure("There is no data to check yet.", allow_retries=False)
    context.log.info(f"No date was chosen: checking {day}, the newest that data came for lately.")
    return [day]


def readings_gate() -> AssetSelection:
    """The checks that stand before what is built from readings.

    Select them beside what is built, in one job: where one fails, nothing is built in that run.
    """
    return AssetSelection.checks(
        *(check_key(check) for check in CHECKS if check.blocking and check.table == _GATED)
    )


def check_key(check: Check) -> AssetCheckKey:
    """Dagster's name of a check."""
    return AssetCheckKey(AssetKey(check.table), check.name)


_GATED = "traffic_readings"


def _spec(check: Check, dates: PartitionsDefinition[str] | None) -> AssetCheckSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)
        return AssetCheckSpec(
            name=check.name,
            asset=AssetKey(check.table),
            description=check.description,
            blocking=check.blocking,
            partitions_def=dates,
            metadata={
                "runbook": check.runbook,
                "severity": check.severity,
                **sql_links(check.statements),
            },
        )


def _evaluate(
    context: AssetCheckExecutionContext,
    settings: Settings,
    checks: Sequence[Check],
    days: Sequence[date | None],
) -> Iterator[AssetCheckEvaluation | Output[None]]:
    """The results of the selected checks, and then the outputs that later steps wait for."""
    from traffic_platform.quality.run import evaluate_checks

    selected = [check for check in checks if check_key(check) in context.selected_asset_check_keys]
    for day in days:
        for result in evaluate_checks(settings, selected, day):
            yield check_evaluation(result, day)
    for check in selected:
        yield Output(None, output_name=_spec(check, None).get_python_identifier())
