"""A day of raw out of the table and into a file that is proved to hold it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import psycopg
import pyarrow.parquet as pq

from traffic_platform.archive.arrow_rows import (
    BATCH_ROWS,
    SCHEMA,
    RecordBatch,
    day_batches,
    digest,
    new_digest,
)
from traffic_platform.archive.files import (
    ArchiveError,
    Manifest,
    checksum,
    manifest_path,
    part_name,
    sync,
    sync_folder,
)
from traffic_platform.postgres.identity import read_identity
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]


def archive_day(
    connection: Connection, folder: Path, day: date, bounds: tuple[datetime, datetime]
) -> Manifest | None:
    """Write what arrived on a day into `folder`; None: nothing did.

    When this returns the file and its manifest are on the disk, and the file was read back from
    there: its SHA-256 and its rows are those that were written. A file that an upkeep left behind
    which was interrupted is replaced; one whose rows were dropped never is. Raises ArchiveError,
    psycopg.Error.
    """
    platform_id = str(read_identity(connection).platform_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, part = _free_part(connection, folder, day, bounds[0], platform_id)
        new = path.with_name(f".{path.name}.new")
        # Files are private to the platform: messages may hold anything.
        with new.open("w+b") as file:
            new.chmod(0o600)
            with connection.transaction():
                written = _write(file, day_batches(connection, *bounds))
            sync(file.fileno())
            if written.rows:
                _read_back(file, written, new)
    except OSError as error:
        raise ArchiveError(f"the archive {folder} takes no file: {error}") from error
    if not written.rows:
        new.unlink()
        return None
    manifest = Manifest(
        day=day.isoformat(),
        part=part,
        file=path.name,
        rows=written.rows,
        bytes=written.bytes,
        sha256=written.sha256,
        columns={column.name: str(column.type) for column in SCHEMA},
        platform_id=platform_id,
        written_at=datetime.now(UTC).isoformat(timespec="seconds"),
        logs=_logs(connection, written),
    )
    new.replace(path)
    sync_folder(folder)
    manifest.write(manifest_path(path))
    return manifest


@dataclass
class _Written:
    """What went into a file."""

    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    digest: str = ""
    logs: dict[tuple[int, int], tuple[int, int, int]] = field(
        default_factory=dict[tuple[int, int], tuple[int, int, int]]
    )

    def count(self, batch: RecordBatch) -> None:
        """Add a batch: rows, first and next offset of each log."""
        self.rows += batch.num_rows
        topic, partition, offset = (batch.column(i).to_numpy() for i in range(3))
        logs = np.stack([topic.astype(np.int64), partition.astype(np.int64)], axis=1)
        for topic_no, number in np.unique(logs, axis=0).tolist():
            of_log = offset[(topic == topic_no) & (partition == number)]
            first, following = int(of_log.min()), int(of_log.max()) + 1
            rows, low, high = self.logs.get((topic_no, number), (0, first, following))
            self.logs[topic_no, number] = (
                rows + len(of_log),
                min(low, first),
                max(high, following),
            )


class _HashingFile(io.RawIOBase):
    """Passes on what is written, hashed. Parquet is written from its beginning to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any, /) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self.sha256.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        """How much was written."""
        return self.size


def _write(file: BinaryIO, batches: Iterator[RecordBatch]) -> _Written:
    written, running = _Written(), new_digest()
    hashing = _HashingFile(file)
    with pq.ParquetWriter(hashing, SCHEMA, compression="zstd", write_statistics=True) as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=batch.num_rows)
            written.count(batch)
            digest(batch, running)
    file.flush()
    written.bytes, written.sha256 = hashing.size, hashing.sha256.hexdigest()
    written.digest = running.hexdigest()
    return written


def _read_back(file: BinaryIO, written: _Written, path: Path) -> None:
    if checksum(file) != written.sha256:
        raise ArchiveError(f"{path} does not hold what was written: see to its disk")
    rows, running = 0, new_digest()
    with pq.ParquetFile(file) as parquet:
        # By row group: each is a batch that was written.
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                rows += batch.num_rows
                digest(batch, running)
    if (rows, running.hexdigest()) != (written.rows, written.digest):
        raise ArchiveError(f"{path} does not give back the rows that were written into it")


def _free_part(
    connection: Connection, folder: Path, day: date, lower: datetime, platform_id: str
) -> tuple[Path, int]:
    """The first file of a day whose rows were not dropped."""
    rows = connection.execute(statement("archive/used_parts"), {"lower": lower}).fetchall()
    used = {name for (name,) in rows}
    part = 1
    while part_name(day, part) in used:
        part += 1
    path = folder / part_name(day, part)
    if manifest_path(path).exists():
        other = Manifest.read(manifest_path(path)).platform_id
        if other != platform_id:
            raise ArchiveError(f"{path} is the archive of another platform, {other}")
    return path, part


def _logs(connection: Connection, written: _Written) -> list[dict[str, Any]]:
    topics = {row[0]: row[1:] for row in connection.execute(statement("archive/topics"))}
    found: list[dict[str, Any]] = []
    for (topic_no, partition), (rows, first, following) in sorted(written.logs.items()):
        name, topic_id, cluster_id = topics[topic_no]
        found.append(
            {
                "topic_no": topic_no,
                "partition": partition,
                "topic": name,
                "kafka_topic_id": topic_id,
                "cluster_id": cluster_id,
                "rows": rows,
                "first_offset": first,
                "next_offset": following,
            }
        )
    return found
