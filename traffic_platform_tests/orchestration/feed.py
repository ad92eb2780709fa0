"""Events of one Saturday for ingest runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def flat(sensor: str, minute: int = 0, *, days: int = 0) -> bytes:
    """A flat event of 2025-10-04 12:00 UTC, plus `minute` and `days`."""
    timestamp = NOON + timedelta(minutes=minute, days=days)
    return json.dumps(
        {
            "sensor_id": sensor,
            "timestamp": timestamp.isoformat(),
            "speed": 55.0,
            "volume": 900,
            "occupancy": 7.5,
        }
    ).encode()
