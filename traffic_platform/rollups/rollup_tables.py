"""The three tables, what a fold did to them, and how they are computed one from another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, LiteralString

import psycopg

from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]

# table: the statement that computes its rows of pg_temp.dirty_ranges, in the order of computation
_FOLDS: Mapping[str, LiteralString] = {
    "readings_5min": "rollups/roll_up_5min",
    "readings_hourly": "rollups/roll_up_hourly",
    "readings_daily": "rollups/roll_up_daily",
}
TABLES = tuple(_FOLDS)


@dataclass
class Changes:
    """Rows of a table that were written; one that came out equal is none of them."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.added + self.changed + self.removed

    def add(self, other: Changes) -> None:
        """Add another count."""
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed


@dataclass
class RollupResult:
    """What folds did: `tables` by name and by date (the platform's zone).

    `buckets` of 5 minutes were computed again; `left` is whether there are more. A fold that found
    another one at work is `busy` and did nothing.
    """

    buckets: int = 0
    left: bool = False
    busy: bool = False
    tables: dict[str, dict[date, Changes]] = field(default_factory=dict[str, dict[date, Changes]])

    def add(self, other: RollupResult) -> None:
        """Add what another fold did."""
        self.buckets += other.buckets
        self.left, self.busy = other.left, other.busy
        for table, dates in other.tables.items():
            for day, changes in dates.items():
                self.of(table, day).add(changes)

    def of(self, table: str, day: date) -> Changes:
        """The changes of a table's date, to be read or added to."""
        return self.tables.setdefault(table, {}).setdefault(day, Changes())

    def total(self, table: str) -> Changes:
        """The changes of all dates of a table."""
        sums = Changes()
        for changes in self.tables.get(table, {}).values():
            sums.add(changes)
        return sums


def roll_up_ranges(
    connection: Connection, folded: RollupResult, tables: Collection[str] = TABLES
) -> None:
    """Compute the rows of pg_temp.dirty_ranges again, and count in `folded` what was written.

    Of the tables chosen each is computed from the one before it as that is stored.
    """
    for table, name in _FOLDS.items():
        if table in tables:
            for day, added, changed, removed in connection.execute(statement(name)).fetchall():
                folded.of(table, day).add(Changes(added, changed, removed))
