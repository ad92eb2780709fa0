"""Live states of the detectors, for the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from psycopg.rows import class_row

from traffic_platform.api.database import Connection
from traffic_platform.detector_health.live_state import HOUR_S, LiveCounts, LiveState, live_state
from traffic_platform.settings import Settings
from traffic_platform.statements import statement


async def live_states(
    connection: Connection, settings: Settings, now: datetime | None = None
) -> list[LiveState]:
    """Return the state of every sensor at `now` (aware; default: the current time).

    detector_health/live_state.py decides it. Raises psycopg.Error.
    """
    now = now or datetime.now(UTC)
    parameters = {
        "hour_ago": now - timedelta(seconds=HOUR_S),
        "forget_before": now - timedelta(days=settings.health_forget_days),
    }
    async with connection.cursor(row_factory=class_row(LiveCounts)) as cursor:
        await cursor.execute(statement("detector_health/live_states"), parameters)
        return [live_state(counts, settings, now) for counts in await cursor.fetchall()]
