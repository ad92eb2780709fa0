"""Measurements of each sensor on a date: one pass over the readings, shared by many checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from traffic_platform.quality.feeds import feed_of
from traffic_platform.quality.outcome import Row

Measure = Literal["speed", "volume", "occupancy"]
MEASURES: tuple[Measure, ...] = ("speed", "volume", "occupancy")


@dataclass(frozen=True)
class SensorDay:
    """The readings of one sensor on one date. Units as in the table.

    `expected` counts the readings with traffic; on an empty road detectors may omit speed and
    occupancy. `missing` counts, by measure, how many of these lack it; volume may be missing in any
    reading. A speed of 0 while vehicles passed counts as missing. `least` and `greatest` are of the
    present values, None without any.
    """

    sensor_id: UUID
    name: str
    readings: int
    with_vehicles: int
    expected: int
    busy: int
    missing: dict[Measure, int]
    values: dict[Measure, int]
    least: dict[Measure, float | None]
    greatest: dict[Measure, float | None]
    score: float

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the row of `sql/quality/sensor_days.sql` with its figures by measure."""
        return cls(
            sensor_id=row["sensor_id"],
            name=row["external_id"],
            readings=row["readings"],
            with_vehicles=row["with_vehicles"],
            expected=row["expected"],
            busy=row["busy"],
            missing={measure: row[f"{measure}_missing"] for measure in MEASURES},
            values={measure: row[f"{measure}_values"] for measure in MEASURES},
            least={measure: row[f"{measure}_least"] for measure in MEASURES},
            greatest={measure: row[f"{measure}_greatest"] for measure in MEASURES},
            score=row["score"],
        )

    @property
    def feed(self) -> str:
        """The sensor's feed, by its name."""
        return feed_of(self.name)

    def base(self, measure: Measure) -> int:
        """Return the number of readings that should have the measure."""
        return self.readings if measure == "volume" else self.expected

    def is_constant(self, measure: Measure) -> bool:
        """Return True if the measure is present and always the same."""
        return self.values[measure] > 0 and self.least[measure] == self.greatest[measure]
