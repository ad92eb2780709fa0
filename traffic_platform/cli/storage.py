"""Tables of sizes for `traffic status --storage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traffic_platform.cli.console import print_table, say

if TYPE_CHECKING:
    from traffic_platform.monitoring.table_sizes import Storage, TableSize

_DAGSTER_TABLES = 6  # shown, of about thirty


def show_storage(storage: Storage) -> None:
    """Print the tables that `traffic status --storage` adds."""
    from humanize import naturalsize

    headers = ("table", "rows (about)", "data", "indexes", "partitions", "oldest", "newest")
    print_table("Tables", headers, map(_row, storage.tables))
    say(f"The database has {naturalsize(storage.database_bytes)} in total.\n")
    largest = storage.dagster[:_DAGSTER_TABLES]
    print_table("Dagster's largest tables", headers[:4], (_row(table)[:4] for table in largest))
    say(f"Dagster's database has {naturalsize(storage.dagster_bytes)} in total.")
    if archive := storage.archive:
        days = f", days {archive.oldest} to {archive.newest}" if archive.files else ""
        say(
            f"The archive {archive.folder} has {archive.rows:,} messages in {archive.files:,} files"
            f" of {naturalsize(archive.bytes)}{days}."
        )


def _row(table: TableSize) -> tuple[object, ...]:
    from humanize import naturalsize

    return (
        table.name,
        table.rows,
        naturalsize(table.bytes),
        naturalsize(table.index_bytes),
        table.partitions or None,
        table.oldest or "",
        table.newest or "",
    )
