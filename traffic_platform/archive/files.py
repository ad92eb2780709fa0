"""Names, manifests and checksums of the archive's files."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Any, Self

from traffic_platform.errors import PermanentError

FORMAT = 1


class ArchiveError(PermanentError):
    """An archive cannot be written, or was changed after writing. The message names the file."""


@dataclass(frozen=True)
class Manifest:
    """Description of a file `raw_events_YYYYMMDD.parquet`, stored beside it as `….json`.

    `day` is the UTC day of arrival. A day has several parts when its partition was created again
    after a drop. `sha256` (hex) and `bytes` describe the file; `rows` counts messages. `logs` holds
    the topic, Kafka's ids, `rows` and the offset range of each partition generation.
    """

    day: str
    part: int
    file: str
    rows: int
    bytes: int
    sha256: str
    columns: dict[str, str]
    platform_id: str
    written_at: str
    logs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    table: str = "traffic.raw_events"
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest. Raises ArchiveError for an unreadable file or another format."""
        try:
            manifest = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ArchiveError(f"{path} cannot be read: {error}") from error
        if manifest.format != FORMAT:
            raise ArchiveError(f"{path} has format {manifest.format}, not {FORMAT}")
        return manifest

    def write(self, path: Path) -> None:
        """Write the manifest whole or not at all, and sync it to disk."""
        new = path.with_name(f".{path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self), indent=2) + "\n")
            sync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)


def part_name(day: date, part: int) -> str:
    """Return the file name of a day's part, without folder; the first part is 1."""
    return f"raw_events_{day:%Y%m%d}{f'-{part}' if part > 1 else ''}.parquet"


def manifest_path(path: Path) -> Path:
    """Return the path of a file's manifest."""
    return path.with_suffix(".json")


def archived_parts(folder: Path, day: date) -> list[Path]:
    """Return the files of a day in the order of writing; empty when it was not archived."""
    parts: list[Path] = []
    while (path := folder / part_name(day, len(parts) + 1)).exists():
        parts.append(path)
    return parts


def checksum(file: BufferedReader | BufferedRandom) -> str:
    """Return the SHA-256 of a whole file in hex, and leave the file at its start."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")
    file.seek(0)
    return digest.hexdigest()


def sync(descriptor: int) -> None:
    """Sync a file to disk and drop it from the page cache, so that the next read is the disk's."""
    os.fsync(descriptor)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
