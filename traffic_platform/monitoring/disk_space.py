"""Free space on the disks of the local state, before PostgreSQL stops for want of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from traffic_platform.settings import Settings

_GIB = 1024**3


def full_disks(settings: Settings) -> list[str]:
    """Return a sentence for each disk with less free space than TRAFFIC_DISK_FREE_GIB.

    The disks are those of TRAFFIC_HOME and of the embedded PostgreSQL, which may be a link to
    another one. Raises OSError for a folder that may not be read.
    """
    folders = [settings.home.resolve()]
    if settings.database_url is None:
        folders.append(folders[0] / "postgres")
    by_disk: dict[int, Path] = {}
    for folder in folders:
        by_disk.setdefault(existing(folder).stat().st_dev, folder)
    found: list[str] = []
    for folder in by_disk.values():
        free = shutil.disk_usage(existing(folder)).free / _GIB
        if free < settings.disk_free_gib:
            found.append(
                f"the disk of {folder} has only {free:.1f} GiB free, less than"
                f" TRAFFIC_DISK_FREE_GIB={settings.disk_free_gib:g}. PostgreSQL stops when it is"
                " full. Free some space, or shorten the retention of the tables"
            )
    return found


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())
