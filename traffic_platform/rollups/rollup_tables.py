"""The three roll-up tables, their statements, and the numbers of changed rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import LiteralString

from psycopg import sql

from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

# By table, in the order of computation: the statement that computes the rows of
# pg_temp.dirty_ranges, and the key column beside sensor_id.
_TABLES: Mapping[str, tuple[LiteralString, str]] = {
    "readings_5min": ("rollups/roll_up_5min", "bucket"),
    "readings_hourly": ("rollups/roll_up_hourly", "hour"),
    "readings_daily": ("rollups/roll_up_daily", "date"),
}
TABLES = tuple(_TABLES)


@dataclass
class Changes:
    """Numbers of written rows of a table; unchanged rows are not written."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def total(self) -> int:
        """Their sum."""
        return self.added + self.changed + self.removed

    def add(self, other: Changes) -> None:
        """Add other numbers."""
        self.added += other.added
        self.changed += other.changed
        self.removed += other.removed


@dataclass
class RollupResult:
    """Result of roll-ups: `tables` by name and date (the platform's zone).

    `buckets` is the number of 5-minute buckets computed again, and `left` tells of more. `busy`
    tells that another roll-up was running and this one did nothing.
    """

    buckets: int = 0
    left: bool = False
    busy: bool = False
    tables: dict[str, dict[date, Changes]] = field(default_factory=dict[str, dict[date, Changes]])

    def add(self, other: RollupResult) -> None:
        """Add the result of another roll-up."""
        self.buckets += other.buckets
        self.left, self.busy = other.left, other.busy
        for table, dates in other.tables.items():
            for day, changes in dates.items():
                self.of(table, day).add(changes)

    def of(self, table: str, day: date) -> Changes:
        """Return the changes of a table's date, for reading or adding."""
        return self.tables.setdefault(table, {}).setdefault(day, Changes())

    def total(self, table: str) -> Changes:
        """Return the sum over all dates of a table."""
        sums = Changes()
        for changes in self.tables.get(table, {}).values():
            sums.add(changes)
        return sums


def roll_up_ranges(
    connection: Connection, result: RollupResult, tables: Collection[str] = TABLES
) -> None:
    """Compute the rows of pg_temp.dirty_ranges again, and add the written rows to `result`.

    Each selected table is computed from the stored rows of the table before it.
    """
    for table in TABLES:
        if table in tables:
            for day, *numbers in connection.execute(_statement(table)).fetchall():
                result.of(table, day).add(Changes(*numbers))


@cache
def _statement(table: str) -> sql.Composed:
    """Return a table's statement with the table's name, key and columns (see sql/parts)."""
    name, key = _TABLES[table]
    date_of_key = "w.date" if key == "date" else "(w.{} at time zone p.timezone)::date"
    columns = [column.name for column in load_catalogue()[table].columns]
    columns = [column for column in columns if column not in ("sensor_id", key, "updated_at")]

    def listed(*alias: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(*alias, column) for column in columns)

    return sql.SQL(statement(name)).format(
        table=sql.Identifier(table),
        key=sql.Identifier(key),
        date=sql.SQL(date_of_key).format(sql.Identifier(key)),
        columns=listed(),
        stored=listed("o"),
        computed=listed("c"),
        excluded=listed("excluded"),
    )
