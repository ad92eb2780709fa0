"""Findings of the alert sensor from the check results that Dagster stores."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step.

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckSpec,
    AssetSelection,
    DagsterInstance,
    DailyPartitionsDefinition,
    Definitions,
    JobDefinition,
    Output,
    define_asset_job,
    multi_asset_check,
)

from traffic_platform.orchestration.alerts.alert_sensors import find_results
from traffic_platform.orchestration.checks.asset_checks import check_key
from traffic_platform.quality.checks import checks_named

KEY = check_key(checks_named(["values_change"])[0])
DATES = DailyPartitionsDefinition("2025-01-01", end_date="2027-01-01")
FIRST = date(2025, 2, 1)


def job_of_dates(failing: str) -> JobDefinition:
    """A job of a check that fails for one date."""

    @multi_asset_check(
        specs=[AssetCheckSpec(KEY.name, asset=KEY.asset_key, partitions_def=DATES)],
        can_subset=True,
    )
    def check_dates(
        context: AssetCheckExecutionContext,
    ) -> Iterator[AssetCheckEvaluation | Output[Any]]:
        for partition in context.partition_keys:
            yield AssetCheckEvaluation(
                asset_key=KEY.asset_key,
                check_name=KEY.name,
                passed=partition != failing,
                partition=partition,
            )
        yield Output(None, output_name=next(iter(check_dates.node_def.output_dict)))

    job = define_asset_job("some_dates", AssetSelection.checks(KEY))
    return Definitions(asset_checks=[check_dates], jobs=[job]).resolve_job_def("some_dates")


def check(instance: DagsterInstance, first: date, days: int, failing: str = "") -> None:
    """A run for so many dates."""
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": (first + timedelta(days=days - 1)).isoformat(),
    }
    assert job_of_dates(failing).execute_in_process(instance=instance, tags=tags).success


@pytest.mark.parametrize(
    ("later_runs", "days", "found", "failing"),
    [
        (0, 40, 40, True),
        (5, 150, 155, True),
        (30, 2, 30, False),  # older than all results that count
        (0, 450, 400, False),
    ],
)
def test_a_run_for_many_dates_is_read_to_its_end(
    instance: DagsterInstance, later_runs: int, days: int, found: int, failing: bool
) -> None:
    check(instance, FIRST, days, failing=FIRST.isoformat())
    for number in range(later_runs):
        check(instance, date(2026, 10, 1) + timedelta(days=number), 1)
    results = list(find_results(instance, [], "UTC"))
    assert len(results) == found
    failed = [one.problem.date for one in results if not one.passed]
    assert failed == ([FIRST.isoformat()] if failing else [])
