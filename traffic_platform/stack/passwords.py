"""The random passwords of the embedded PostgreSQL, made once per TRAFFIC_HOME."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

ROLES = ("postgres", "traffic_owner", "traffic_ingest", "traffic_read", "dagster")


def load_or_make(file: Path) -> dict[str, str]:
    """Password of each role; `file` (readable by its owner only) is written the first time."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump({role: secrets.token_urlsafe(24) for role in ROLES}, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    return json.loads(file.read_text())
