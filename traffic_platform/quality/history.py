"""Earlier measurements of sensors, from a sample that is equally large for any table size.

The sample consists of whole pages. Readings are stored in the order of their arrival, so each page
holds readings of many sensors at one time, and a few per cent of the pages hold hundreds of
readings of each sensor. The same pages are drawn each time, so the same data gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from traffic_platform.quality.check_statements import Connection, read_rows
from traffic_platform.quality.sensor_days import MEASURES, Measure

# Bytes read of a history: some two million readings, 2 s (measured).
SAMPLE_BYTES = 256 * 1024 * 1024
# A sensor with fewer days or readings than this is not compared.
LEAST_DAYS = 3
LEAST_READINGS = 100


@dataclass(frozen=True)
class SensorHistory:
    """Sampled readings of one sensor on the days before; fields as in `SensorDay`."""

    sensor_id: UUID
    days: int
    readings: int
    expected: int
    missing: dict[Measure, int]
    score: float

    @property
    def is_enough(self) -> bool:
        """True if the history suffices for a comparison."""
        return self.days >= LEAST_DAYS and self.readings >= LEAST_READINGS

    def share_missing(self, measure: Measure) -> float | None:
        """Return the share of readings that lack the measure (0 to 1), None if too few are known.

        Readings that need not have the measure do not count.
        """
        base = self.readings if measure == "volume" else self.expected
        if not self.is_enough or base < LEAST_READINGS:
            return None
        return self.missing[measure] / base


def sample_percent(connection: Connection, begin: datetime, end: datetime) -> float:
    """Return the percentage of the pages of [begin, end)'s partitions that SAMPLE_BYTES are."""
    size = read_rows(connection, "history_bytes", begin=begin, end=end)[0]["bytes"]
    return min(100.0, 100.0 * SAMPLE_BYTES / max(1, size))


def read_history(
    connection: Connection, begin: datetime, end: datetime, timezone: str, percent: float
) -> dict[UUID, SensorHistory]:
    """Read `percent` of the pages of [begin, end), by sensor_id. Raises psycopg.Error."""
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
