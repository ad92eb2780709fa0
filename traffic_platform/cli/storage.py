"""The sizes of everything, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traffic_platform.monitoring.table_sizes import Storage, TableSize

_MOST_OF_DAGSTER = 6  # of its thirty tables


def show_storage(storage: Storage) -> None:
    """Print what `traffic status --storage` adds."""
    from traffic_platform.cli.console import print_table, say

    headers = ("table", "rows (about)", "data", "indexes", "partitions", "oldest", "newest")
    print_table("Tables", headers, map(_row, storage.tables))
    say(f"The database has {size_text(storage.database_bytes)} in all.\n")
    largest = storage.dagster[:_MOST_OF_DAGSTER]
    print_table("Dagster's storage, the largest tables", headers[:4], _first(4, largest))
    say(f"Dagster's database has {size_text(storage.dagster_bytes)} in all.")
    if archive := storage.archive:
        days = f", days {archive.oldest} to {archive.newest}" if archive.files else ""
        say(
            f"The archive {archive.folder} has {archive.rows:,} messages in {archive.files:,} files"
            f" of {size_text(archive.bytes)}{days}."
        )


def size_text(size: float) -> str:
    """Bytes for people: 512 B, 1.5 MB; a kB has 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1_000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1_000
    return f"{size:.1f} TB"


def _row(table: TableSize) -> tuple[object, ...]:
    return (
        table.name,
        table.rows,
        size_text(table.bytes),
        size_text(table.index_bytes),
        table.partitions or None,
        table.oldest or "",
        table.newest or "",
    )


def _first(columns: int, tables: Iterable[TableSize]) -> Iterable[tuple[object, ...]]:
    return (_row(table)[:columns] for table in tables)
