"""The asset checks: evaluated in one step of a job of their own, never in a window.

In a window's job a check without a date would leave a planned row behind for every run, and a
failing one would look like a failing stream.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

import json
from collections.abc import Iterator
from typing import Any, Final

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    multi_asset_check,
)

from traffic_platform.orchestration.assets import sql_links
from traffic_platform.quality.checks import CHECKS, Check
from traffic_platform.quality.outcome import Outcome
from traffic_platform.settings import Settings

CHECKS_STEP: Final = "event_table_checks"


def event_table_checks(settings: Settings) -> AssetChecksDefinition:
    """All checks of the event tables, as one step that reads as the reading role."""

    @multi_asset_check(
        name=CHECKS_STEP,
        description="Reads catalogue and ledger, never all rows; `traffic verify` does.",
        specs=[_spec(check) for check in CHECKS],
        can_subset=True,
    )
    def evaluate(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        from traffic_platform.ingest.connections import connect

        url = settings.endpoints().read_url
        with connect(url, application_name="traffic-checks", autocommit=True) as connection:
            for check in CHECKS:
                if _key(check) in context.selected_asset_check_keys:
                    yield _result(check, check.evaluate(connection))

    return evaluate


def _spec(check: Check) -> AssetCheckSpec:
    return AssetCheckSpec(
        name=check.name,
        asset=AssetKey(check.table),
        description=check.description,
        blocking=False,
        metadata={"runbook": check.runbook, **sql_links(check.statements)},
    )


def _key(check: Check) -> AssetCheckKey:
    return AssetCheckKey(AssetKey(check.table), check.name)


def _result(check: Check, outcome: Outcome) -> AssetCheckResult:
    metadata: dict[str, Any] = dict(outcome.numbers)
    if outcome.sample:
        # Values of PostgreSQL's types as text: UUIDs and times are no JSON.
        metadata["sample"] = MetadataValue.json(json.loads(json.dumps(outcome.sample, default=str)))
        metadata["what to do"] = check.runbook
    return AssetCheckResult(
        asset_key=AssetKey(check.table),
        check_name=check.name,
        passed=outcome.passed,
        severity=AssetCheckSeverity(check.severity),
        description=outcome.summary,
        metadata=metadata,
    )
