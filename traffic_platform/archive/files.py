"""Names of the archive's files, their manifests and checksums."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Self

from traffic_platform.errors import PermanentError

FORMAT = 1
_BLOCK = 1024 * 1024


class ArchiveError(PermanentError):
    """An archive cannot be written, or is not what was written. The message names the file."""


@dataclass(frozen=True)
class Manifest:
    """What stands beside a file `raw_events_YYYYMMDD.parquet`, in `….json`.

    `day` is the UTC day of arrival. A day whose partition was made anew after it was dropped has
    several parts. `sha256` (hex) and `bytes` are of the file, `rows` counts messages; `logs` has,
    for each log, its topic, its identity, `rows`, and the range of offsets that holds them.
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
        """Read a manifest. Raises ArchiveError when it is none of ours."""
        try:
            manifest = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ArchiveError(f"{path} cannot be read: {error}") from error
        if manifest.format != FORMAT:
            raise ArchiveError(f"{path} has format {manifest.format}, not {FORMAT}")
        return manifest

    def write(self, path: Path) -> None:
        """Write it whole or not at all, and make sure that the disk has it."""
        new = path.with_name(f".{path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self), indent=2) + "\n")
            sync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)


def part_name(day: date, part: int) -> str:
    """The name of the file of a day's part, without folder; the first part is 1."""
    return f"raw_events_{day:%Y%m%d}{f'-{part}' if part > 1 else ''}.parquet"


def manifest_path(path: Path) -> Path:
    """Where the manifest of a file is."""
    return path.with_suffix(".json")


def archived_parts(folder: Path, day: date) -> list[Path]:
    """The files of a day, in the order in which they were written; none: it was not archived."""
    parts: list[Path] = []
    while (path := folder / part_name(day, len(parts) + 1)).exists():
        parts.append(path)
    return parts


def checksum(file: BinaryIO) -> str:
    """SHA-256 of a file from its beginning, in hex; leaves it there."""
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def sync(descriptor: int) -> None:
    """Have the disk keep what was written, and forget our copy: what is read next is the disk's."""
    os.fsync(descriptor)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
