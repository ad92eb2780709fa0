"""What sensors measured before: a sample of their readings, as large at any size of the table.

A sample of whole pages: readings lie in the order of their arrival, so each page holds a moment of
many sensors, and a few per cent of the pages hold hundreds of readings of each. The same pages are
drawn each time, so two looks at the same data say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from traffic_platform.quality.check_statements import Connection, read_rows
from traffic_platform.quality.sensor_days import MEASURES, Measure

# Pages read of a history: some two million readings, 2 s (measured).
SAMPLE_BYTES = 256 * 1024 * 1024
# Fewer days than this are no habit, and fewer readings no share.
LEAST_DAYS = 3
LEAST_READINGS = 100


@dataclass(frozen=True)
class SensorHistory:
    """One sensor's sampled readings of the days before; fields as in `SensorDay`."""

    sensor_id: UUID
    days: int
    readings: int
    expected: int
    missing: dict[Measure, int]
    score: float

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to compare with."""
        return self.days >= LEAST_DAYS and self.readings >= LEAST_READINGS

    def share_missing(self, measure: Measure) -> float | None:
        """Share of the readings without the measure where it belongs (0 to 1); None: too few."""
        base = self.readings if measure == "volume" else self.expected
        if not self.is_enough or base < LEAST_READINGS:
            return None
        return self.missing[measure] / base


def sample_percent(connection: Connection, begin: datetime, end: datetime) -> float:
    """The share (percent) of the pages of [begin, end)'s partitions that SAMPLE_BYTES are."""
    size = read_rows(connection, "history_bytes", begin=begin, end=end)[0]["bytes"]
    return min(100.0, 100.0 * SAMPLE_BYTES / max(1, size))


def read_history(
    connection: Connection, begin: datetime, end: datetime, timezone: str, percent: float
) -> dict[UUID, SensorHistory]:
    """A sample of `percent` of the pages of [begin, end), by sensor_id. Raises psycopg.Error."""
    rows = read_rows(
        connection,
        "sensor_history",
        begin=begin,
        end=end,
        timezone=timezone,
        percent=percent,
    )
    return {
        row["sensor_id"]: SensorHistory(
            sensor_id=row["sensor_id"],
            days=row["days"],
            readings=row["readings"],
            expected=row["expected"],
            missing={measure: row[f"{measure}_missing"] for measure in MEASURES},
            score=row["score"],
        )
        for row in rows
    }
