"""Random passwords of the embedded PostgreSQL, created once per TRAFFIC_HOME."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from traffic_platform.atomic_file import replace_file

ROLES = ("postgres", "traffic_owner", "traffic_ingest", "traffic_read", "dagster")


def load_or_make(file: Path) -> dict[str, str]:
    """Return the password of each role. Create `file`, for its owner only, the first time."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        passwords = {role: secrets.token_urlsafe(24) for role in ROLES}
        replace_file(file, json.dumps(passwords, indent=2), flush=True)
    return json.loads(file.read_text())
