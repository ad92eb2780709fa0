"""Dagster's asset checks, one step for the tables and one for dates; people run them by hand.

They are not part of ingest runs: there, each check of a date would leave a planned row without a
date behind, and a failed check would look like a failed stream. `checks_job` runs them on schedule.
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
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.table_metadata import sql_links
from traffic_platform.quality.check import Check, Scope
from traffic_platform.quality.checks import CHECKS
from traffic_platform.settings import Settings

TABLES_STEP: Final = "event_table_checks"
DATES_STEP: Final = "event_date_checks"


def table_checks(settings: Settings) -> AssetChecksDefinition:
    """Return the step that checks the tables as they are now, with the reading role."""
    checks = [check for check in CHECKS if check.scope is Scope.TABLE]

    @multi_asset_check(
        name=TABLES_STEP,
        description=(
            "Checks the catalogue, the ledger and the newest rows. `traffic verify` reads all rows."
        ),
        specs=[_spec(check, None) for check in checks],
        can_subset=True,
    )
    def evaluate_tables(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        yield from _evaluate(context, settings, checks, [None])

    return evaluate_tables


def date_checks(settings: Settings) -> AssetChecksDefinition:
    """Return the step that checks one date, or each date of a range."""
    checks = [check for check in CHECKS if check.scope is Scope.DATE]
    dates = event_dates(settings)

    @multi_asset_check(
        name=DATES_STEP,
        description=(
            "Checks all rows of a date, and samples of the days before. Without a date it takes the"
            " newest one that received data recently."
        ),
        specs=[_spec(check, dates) for check in checks],
        can_subset=True,
    )
    def evaluate_dates(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        yield from _evaluate(context, settings, checks, _requested_dates(context, settings))

    return evaluate_dates


def _requested_dates(context: AssetCheckExecutionContext, settings: Settings) -> list[date]:
    """Return the run's dates, or the newest one with data: Dagster's buttons choose no date."""
    if context.has_partition_key or context.has_partition_key_range:
        return [date.fromisoformat(key) for key in context.partition_keys]
    from traffic_platform.quality.run import newest_date

    day = newest_date(settings)
    if day is None:
        raise Failure(
            "There is no data to check yet. Send events, then run the check again.",
            allow_retries=False,
        )
    context.log.info(f"No date was chosen: checking {day}, the newest date that received data.")
    return [day]


def blocking_checks() -> AssetSelection:
    """Return the blocking checks of the readings.

    A job that selects them beside a table builds the table only if all of them pass.
    """
    blocking = [one for one in CHECKS if one.blocking and one.table == "traffic_readings"]
    return AssetSelection.checks(*map(check_key, blocking))


def check_key(check: Check) -> AssetCheckKey:
    """Return Dagster's key of a check."""
    return AssetCheckKey(AssetKey(check.table), check.name)


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
    """Yield the results of the selected checks, then the outputs that later steps wait for."""
    from traffic_platform.quality.run import evaluate_checks

    selected = [check for check in checks if check_key(check) in context.selected_asset_check_keys]
    for day in days:
        for result in evaluate_checks(settings, selected, day):
            yield check_evaluation(result, day)
    for check in selected:
        yield Output(None, output_name=_spec(check, None).get_python_identifier())
