"""What each sensor measured on a date: one pass over the date's readings, for many checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from traffic_platform.quality.check_statements import Connection, read_rows
from traffic_platform.quality.feeds import feed_of

Measure = Literal["speed", "volume", "occupancy"]
MEASURES: tuple[Measure, ...] = ("speed", "volume", "occupancy")


@dataclass(frozen=True)
class SensorDay:
    """One sensor's readings of one date.

    `expected` counts readings that are not of an empty road, for which detectors may leave speed
    and occupancy out; `missing` holds, by measure, how many of these (for volume: of all readings)
    have none. A speed of 0 while vehicles passed is none. `least` and `greatest` are over the
    values that are there, None without any. Units as in the table.
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

    @property
    def feed(self) -> str:
        """The feed that the sensor belongs to, by its name."""
        return feed_of(self.name)

    def base(self, measure: Measure) -> int:
        """Readings in which the measure belongs."""
        return self.readings if measure == "volume" else self.expected

    def is_constant(self, measure: Measure) -> bool:
        """Whether the measure is there, and always the same."""
        return self.values[measure] > 0 and self.least[measure] == self.greatest[measure]


def read_sensor_days(connection: Connection, begin: datetime, end: datetime) -> list[SensorDay]:
    """The sensors that have readings in [begin, end), by name. Raises psycopg.Error."""
    return [
        SensorDay(
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
        for row in read_rows(connection, "sensor_days", begin=begin, end=end)
    ]
