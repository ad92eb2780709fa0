"""Read a day of raw from the archive's files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from traffic_platform.archive.files import (
    ArchiveError,
    Manifest,
    archived_parts,
    checksum,
    manifest_path,
)

RecordBatch = Any  # pyarrow's, which has no annotations


def read_archived_day(folder: Path, day: date, *, rows: int = 20_000) -> Iterator[RecordBatch]:
    """Yield every message that arrived on a UTC day, at most `rows` a batch.

    Columns are those of `traffic.raw_events`: topic_no, partition, offset, key, value, headers (a
    list of name, value, name, value …), broker_timestamp and ingested_at (µs, UTC), batch_id, and
    order_time, which files of version 0.1.0 lack. Rows keep the order of storing. Memory holds one
    row group at a time (20,000 rows, or 24 MB where messages have a megabyte). Raises ArchiveError
    when the day is not in the archive, and before the first batch of a file whose SHA-256 differs
    from its manifest.
    """
    parts = archived_parts(folder, day)
    if not parts:
        raise ArchiveError(f"{folder} has no file for {day}")
    for path in parts:
        yield from _read_part(path, rows)


def _read_part(path: Path, rows: int) -> Iterator[RecordBatch]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    manifest = Manifest.read(manifest_path(path))
    try:
        # One descriptor for checksum and rows, so that the rows are those that were checked.
        with path.open("rb") as file:
            if checksum(file) != manifest.sha256:
                raise ArchiveError(f"{path} was changed: its SHA-256 differs from its manifest")
            with pq.ParquetFile(file, pre_buffer=False) as parquet:
                for group in range(parquet.num_row_groups):  # one at a time in memory
                    yield from parquet.iter_batches(batch_size=rows, row_groups=[group])
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error}") from error
