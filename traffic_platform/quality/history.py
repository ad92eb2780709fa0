"""Earlier measurements of sensors, from a sample that is equally large for any table size.

The sample consists of whole pages. Readings are stored in the order of their arrival, so each page
holds readings of many sensors at one time, and a few per cent of the pages hold hundreds of
readings of each sensor. The same pages are drawn each time, so the same data gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from traffic_platform.quality.outcome import Row
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

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the row of `sql/quality/sensor_history.sql` with its figures by measure."""
        return cls(
            sensor_id=row["sensor_id"],
            days=row["days"],
            readings=row["readings"],
            expected=row["expected"],
            missing={measure: row[f"{measure}_missing"] for measure in MEASURES},
            score=row["score"],
        )

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
