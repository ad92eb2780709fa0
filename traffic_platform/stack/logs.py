"""Size limit of log files."""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024


def bound(folder: Path, limit: int = LIMIT_BYTES) -> None:
    """Move the content of each log above `limit` bytes to `NAME.log.1`, and empty the log.

    Services keep their logs open for appending, so a log is copied and truncated, not renamed.
    Lines that a service writes between the two steps are lost.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > limit:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            with log.open("r+b") as stream:
                stream.truncate(0)
