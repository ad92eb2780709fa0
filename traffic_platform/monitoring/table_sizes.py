"""Sizes of the platform's tables, Dagster's storage, and the archive of raw."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from traffic_platform.archive.files import Manifest
from traffic_platform.errors import translated
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings
from traffic_platform.statements import statement


@dataclass(frozen=True)
class TableSize:
    """A table with its partitions. Sizes are bytes, `bytes` without indexes; `rows` is estimated.

    `oldest` and `newest` are UTC days: of arrival for raw, of events for processed and readings (by
    month), of commits for the audit; None for tables without an index of times.
    """

    name: str
    rows: int
    bytes: int
    index_bytes: int
    partitions: int = 0
    oldest: date | None = None
    newest: date | None = None

    @property
    def total(self) -> int:
        """Bytes, indexes included."""
        return self.bytes + self.index_bytes


@dataclass(frozen=True)
class ArchiveSize:
    """Number, bytes and messages of the archive's files, with the first and last day."""

    folder: str
    files: int
    bytes: int
    rows: int
    oldest: date | None
    newest: date | None


@dataclass(frozen=True)
class Storage:
    """Sizes of all storage, both lists of tables in order of size.

    `database_bytes` and `dagster_bytes` are whole databases with their system tables. `archive` is
    None when the settings name no archive.
    """

    tables: list[TableSize]
    database_bytes: int
    dagster: list[TableSize]
    dagster_bytes: int
    archive: ArchiveSize | None

    def as_json(self) -> dict[str, Any]:
        """Return the document of `traffic status --storage --json`."""
        return {
            "tables": [_document(table) for table in self.tables],
            "database_bytes": self.database_bytes,
            "dagster": {
                "tables": [_document(table) for table in self.dagster],
                "database_bytes": self.dagster_bytes,
            },
            "archive": asdict(self.archive) if self.archive else None,
        }


def read_storage(settings: Settings) -> Storage:
    """Read all sizes. Raises TransientError, PermanentError, SettingsError, ArchiveError."""
    endpoints = settings.endpoints()
    with translated():
        tables, ours = _read_tables(endpoints.read_url, "traffic")
        dagster, theirs = _read_tables(endpoints.dagster_url, "public")
    return Storage(tables, ours, dagster, theirs, _read_archive(settings.archive))


def _read_tables(url: str, schema: str) -> tuple[list[TableSize], int]:
    with connect(url, application_name="traffic-status", autocommit=True) as connection:
        found = connection.execute(statement("monitoring/table_sizes"), {"schema": schema})
        tables = [
            TableSize(name, rows, size, index, partitions, _day(first), _day(last))
            for name, rows, size, index, partitions, first, last in found
        ]
        row = connection.execute("select pg_database_size(current_database())").fetchone()
        assert row is not None
        if schema == "traffic":
            span = connection.execute(statement("monitoring/audit_span")).fetchone()
            assert span is not None
            tables = [_with_span(table, span) for table in tables]
    return tables, int(str(row[0]))


def _day(partition: str | None) -> date | None:
    """Return the first day of a partition, from its name."""
    if partition is None:
        return None
    digits = partition.rpartition("_")[2]
    form = "%Y%m%d" if len(digits) == 8 else "%Y%m"
    return datetime.strptime(digits, form).replace(tzinfo=UTC).date()


def _with_span(table: TableSize, span: tuple[Any, ...]) -> TableSize:
    if table.name != "micro_batches" or span[0] is None:
        return table
    first, last = (time.astimezone(UTC).date() for time in span)
    return replace(table, oldest=first, newest=last)


def _read_archive(folder: Path | None) -> ArchiveSize | None:
    if folder is None:
        return None
    manifests = [Manifest.read(path) for path in sorted(folder.glob("raw_events_*.json"))]
    days = [date.fromisoformat(manifest.day) for manifest in manifests]
    return ArchiveSize(
        folder=str(folder),
        files=len(manifests),
        bytes=sum(manifest.bytes for manifest in manifests),
        rows=sum(manifest.rows for manifest in manifests),
        oldest=min(days, default=None),
        newest=max(days, default=None),
    )


def _document(table: TableSize) -> dict[str, Any]:
    return {**asdict(table), "total_bytes": table.total}
