"""Replacement of small files as a whole."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(file: Path, text: str, *, flush: bool = False) -> None:
    """Write `text` to `file`. Readers see the former text or the new one, never a part of it.

    Only the owner can read the file. With `flush` the text is on disk before the file is replaced.
    Raises OSError.
    """
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as stream:
        stream.write(text)
        if flush:
            stream.flush()
            os.fsync(descriptor)
    new.replace(file)
