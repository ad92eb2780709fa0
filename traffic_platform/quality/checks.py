"""The checks: one property each, on one table, with the page that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from traffic_platform.quality.accounting import every_offset_accounted_for
from traffic_platform.quality.keys import no_duplicate_readings, no_null_in_keys
from traffic_platform.quality.outcome import Outcome
from traffic_platform.quality.reading import Connection


@dataclass(frozen=True)
class Check:
    """A property of `table` (its name without the schema).

    `statements` name the SQL behind it; `runbook` is the page, in the repository, that says what a
    failure means and what to do.
    """

    name: str
    table: str
    severity: Literal["ERROR", "WARN"]
    evaluate: Callable[[Connection], Outcome]
    statements: Sequence[str]

    @property
    def description(self) -> str:
        """The property, as one sentence."""
        return (self.evaluate.__doc__ or "").partition("\n")[0]

    @property
    def runbook(self) -> str:
        """Path and anchor of the page about a failure."""
        return f"docs/checks.md#{self.name}"


CHECKS = (
    Check(
        name="no_duplicate_readings",
        table="traffic_readings",
        severity="ERROR",
        evaluate=no_duplicate_readings,
        statements=("quality/partitions_without_key",),
    ),
    Check(
        name="no_null_in_keys",
        table="traffic_readings",
        severity="ERROR",
        evaluate=no_null_in_keys,
        statements=("quality/nullable_key_columns",),
    ),
    Check(
        name="every_offset_accounted_for",
        table="raw_events",
        severity="ERROR",
        evaluate=every_offset_accounted_for,
        statements=(
            "quality/ledger_gaps",
            "quality/unbalanced_batches",
            "quality/raw_rows_missing",
            "quality/open_losses",
            "quality/ledger_totals",
        ),
    ),
)
