"""Log files that do not grow without end."""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024


def bound(folder: Path, limit: int = LIMIT_BYTES) -> None:
    """Move the content of each log beyond `limit` bytes to `NAME.log.1` and go on at its start.

    The services hold their files open for appending, so a file is copied and cut rather than
    renamed; what is written between the two is lost, which a log can bear.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > limit:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            with log.open("r+b") as stream:
                stream.truncate(0)
