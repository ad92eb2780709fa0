"""Check results as Dagster evaluations, and the rule for which results to store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetKey,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
)

from traffic_platform.events.texts import utc_text
from traffic_platform.quality.outcome import Row
from traffic_platform.quality.run import Result

# A result that repeats the last one is stored again after this time, so that people see that the
# check still runs.
REPEAT_AFTER: Final = timedelta(hours=4)
# Metadata entry with everything that a failed check names, if it names all of them.
AFFECTED: Final = "affected"

Scalar = str | int | float | bool | None


def check_evaluation(result: Result, day: date | None) -> AssetCheckEvaluation:
    """Return the result for Dagster. `day` is None for a check of the table as it is."""
    check, outcome = result.check, result.outcome
    metadata: dict[str, Any] = {
        **outcome.numbers,
        "evaluated": outcome.evaluated and not outcome.broken,
        "seconds": result.seconds,
    }
    if outcome.sample:
        metadata["sample"] = sample_table(outcome.sample)
    if outcome.affected is not None:
        metadata[AFFECTED] = MetadataValue.json(outcome.affected)
    if not outcome.passed:
        metadata["what to do"] = check.runbook
    return AssetCheckEvaluation(
        asset_key=AssetKey(check.table),
        check_name=check.name,
        passed=outcome.passed,
        severity=AssetCheckSeverity(check.severity),
        description=outcome.summary,
        metadata=metadata,
        blocking=check.blocking,
        partition=day.isoformat() if day else None,
    )


def sample_table(rows: Sequence[Row]) -> MetadataValue:
    """Return rows as a table with the columns of all rows, in the order of their appearance."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [{name: _scalar(row.get(name)) for name in names} for row in rows]
    columns = [TableColumn(name, _type([cell[name] for cell in cells])) for name in names]
    return MetadataValue.table(
        [TableRecord(cell) for cell in cells],  # pyright: ignore[reportArgumentType]
        TableSchema(columns=columns),
    )


def is_news(
    evaluation: AssetCheckEvaluation, before: AssetCheckEvaluation | None, age: timedelta
) -> bool:
    """Return True if the result differs from the newest stored one of its check and date."""
    if before is None or age >= REPEAT_AFTER or evaluation.passed != before.passed:
        return True
    # A check that still fails is stored again if something else fails now.
    return not evaluation.passed and (
        evaluation.description != before.description or affected(evaluation) != affected(before)
    )


def affected(evaluation: AssetCheckEvaluation) -> tuple[str, ...] | None:
    """Return what a stored result names, None if it does not name all."""
    kept = evaluation.metadata.get(AFFECTED)
    names: Any = None if kept is None else kept.value
    return None if names is None else tuple(str(name) for name in names)


def _scalar(value: Any) -> Scalar:
    if isinstance(value, datetime):
        return utc_text(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _type(values: Sequence[Scalar]) -> str:
    kinds: Mapping[type, str] = {bool: "bool", int: "int", float: "float"}
    found = {kinds.get(type(value), "string") for value in values if value is not None}
    return found.pop() if len(found) == 1 else "float" if found == {"int", "float"} else "string"
