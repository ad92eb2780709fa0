"""Write a day of raw from the table into a file, and prove that the file holds it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
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
from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.identity import read_identity
from traffic_platform.statements import statement


def archive_day(
    connection: Connection, folder: Path, day: date, bounds: tuple[datetime, datetime]
) -> Manifest | None:
    """Write the messages that arrived on a day into `folder`; return None when there are none.

    On return the file and its manifest are on disk, and reading the file back from there gave the
    same SHA-256 and rows. A file of an interrupted run is replaced; a file whose rows were dropped
    never is. Raises ArchiveError and psycopg.Error.
    """
    platform_id = str(read_identity(connection).platform_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, part = _free_part(connection, folder, day, bounds[0], platform_id)
        new = path.with_name(f".{path.name}.new")
        # Files are private to the platform, because messages may hold anything.
        with new.open("w+b") as file:
            new.chmod(0o600)
            with connection.transaction():
                written = _write(file, day_batches(connection, *bounds))
            sync(file.fileno())
            if written.rows:
                _read_back(file, written, new)
    except OSError as error:
        raise ArchiveError(f"cannot write into the archive {folder}: {error}") from error
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
        logs=_describe_generations(connection, written),
    )
    new.replace(path)
    sync_folder(folder)
    manifest.write(manifest_path(path))
    return manifest


@dataclass
class _Written:
    """Size, checksums and partition generations of a written file."""

    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    digest: str = ""
    generations: dict[tuple[int, int], tuple[int, int, int]] = field(
        default_factory=dict[tuple[int, int], tuple[int, int, int]]
    )

    def count(self, batch: RecordBatch) -> None:
        """Add a batch: the rows, first and next offset of each generation."""
        self.rows += batch.num_rows
        topic, partition, offset = (batch.column(i).to_numpy() for i in range(3))
        keys = np.stack([topic.astype(np.int64), partition.astype(np.int64)], axis=1)
        for topic_no, number in np.unique(keys, axis=0).tolist():
            offsets = offset[(topic == topic_no) & (partition == number)]
            first, following = int(offsets.min()), int(offsets.max()) + 1
            rows, low, high = self.generations.get((topic_no, number), (0, first, following))
            self.generations[topic_no, number] = (
                rows + len(offsets),
                min(low, first),
                max(high, following),
            )


class _HashingFile(io.RawIOBase):
    """A file that hashes the bytes written. Parquet is written from start to end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any, /) -> int:
        """Write and hash all bytes."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self.sha256.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        """Return the number of bytes written."""
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


def _read_back(file: io.BufferedRandom, written: _Written, path: Path) -> None:
    if checksum(file) != written.sha256:
        raise ArchiveError(f"{path} differs from the bytes that were written. Check its disk.")
    rows, running = 0, new_digest()
    with pq.ParquetFile(file) as parquet:
        # Each row group is one written batch.
        for group in range(parquet.num_row_groups):
            for batch in parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                rows += batch.num_rows
                digest(batch, running)
    if (rows, running.hexdigest()) != (written.rows, written.digest):
        raise ArchiveError(f"{path} does not return the rows that were written into it")


def _free_part(
    connection: Connection, folder: Path, day: date, lower: datetime, platform_id: str
) -> tuple[Path, int]:
    """Return the first file name and part of a day whose rows were not dropped."""
    rows = connection.execute(statement("archive/used_parts"), {"lower": lower}).fetchall()
    used = {name for (name,) in rows}
    part = 1
    while part_name(day, part) in used:
        part += 1
    path = folder / part_name(day, part)
    if manifest_path(path).exists():
        other = Manifest.read(manifest_path(path)).platform_id
        if other != platform_id:
            raise ArchiveError(f"{path} belongs to the archive of another platform, {other}")
    return path, part


def _describe_generations(connection: Connection, written: _Written) -> list[dict[str, Any]]:
    topics = {row[0]: row[1:] for row in connection.execute(statement("archive/topics"))}
    found: list[dict[str, Any]] = []
    for (topic_no, partition), (rows, first, following) in sorted(written.generations.items()):
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
