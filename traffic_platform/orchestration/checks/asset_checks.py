"""Dagster's asset checks, one step for the tables and one for dates; people run them by hand.

They are not part of ingest runs: there, each check of a date would leave a planned row without a
date behind, and a failed check would look like a failed stream. `checks_job` runs them on schedule.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

import warnings
from collections.abc import Iterator, Mapping
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


_STEPS: Mapping[Scope, tuple[str, str]] = {
    Scope.TABLE: (
        TABLES_STEP,
        "Checks the catalogue, the ledger and the newest rows. `traffic verify` reads all rows.",
    ),
    Scope.DATE: (
        DATES_STEP,
        "Checks all rows of a date, and samples of the days before. Without a date it takes the"
        " newest one that received data recently.",
    ),
}


def checks_step(settings: Settings, scope: Scope) -> AssetChecksDefinition:
    """Return the step that checks the tables as they are now, or dates, with the reading role."""
    name, description = _STEPS[scope]
    checks = [check for check in CHECKS if check.scope is scope]
    dates = event_dates(settings) if scope is Scope.DATE else None

    @multi_asset_check(
        name=name,
        description=description,
        specs=[_spec(check, dates) for check in checks],
        can_subset=True,
    )
    def evaluate(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        # Imported here because the code server only defines runs.
        from traffic_platform.quality.run import evaluate_checks

        wanted = context.selected_asset_check_keys
        selected = [check for check in checks if check_key(check) in wanted]
        days = _requested_dates(context, settings) if scope is Scope.DATE else [None]
        for day in days:
            for result in evaluate_checks(settings, selected, day):
                yield check_evaluation(result, day)
        for check in selected:  # later steps wait for these outputs
            yield Output(None, output_name=_spec(check, None).get_python_identifier())

    return evaluate


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
