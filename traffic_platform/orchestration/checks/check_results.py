"""Results of checks in Dagster's words, and which of them are worth keeping."""

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

# A result that says what the last one said is kept again after this time, so that people see that
# the check still runs.
KEPT_FOR: Final = timedelta(hours=4)
# Metadata that says whom a result is about, where it names all of them.
AFFECTED: Final = "affected"

Scalar = str | int | float | bool | None


def check_evaluation(result: Result, day: date | None) -> AssetCheckEvaluation:
    """The result as Dagster keeps it; `day` None: it is about the table, not about a date."""
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
    """Rows as a table; the columns are those of all rows in the order in which they come."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [{name: _scalar(row.get(name)) for name in names} for row in rows]
    columns = [TableColumn(name, _type([cell[name] for cell in cells])) for name in names]
    return MetadataValue.table(
        [TableRecord(cell) for cell in cells],  # pyright: ignore[reportArgumentType]
        TableSchema(columns=columns),
    )


def says_something_new(
    evaluation: AssetCheckEvaluation, before: AssetCheckEvaluation | None, age: timedelta
) -> bool:
    """Whether a result is worth keeping after the newest one of the same check and date."""
    if before is None or age >= KEPT_FOR or evaluation.passed != before.passed:
        return True
    # What still fails is told again when it is another thing that fails.
    return not evaluation.passed and (
        evaluation.description != before.description or affected(evaluation) != affected(before)
    )


def affected(evaluation: AssetCheckEvaluation) -> tuple[str, ...] | None:
    """Whom a kept result is about; None where it does not name all of them."""
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
