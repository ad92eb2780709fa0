"""Sensors, readings and counts as the reader gets them from PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from traffic_platform.events.quality_tests import NORMAL_ON_EMPTY_ROAD, failed_tests


@dataclass(frozen=True, slots=True)
class Sensor:
    """A detector, its place and its newest diagnosis. A reading covers `interval_s` seconds."""

    sensor_id: UUID
    external_id: str
    name: str | None
    road: str | None
    direction: str | None
    milepost: float | None
    latitude: float | None
    longitude: float | None
    interval_s: float | None
    free_flow_mph: float | None
    diagnosed_on: date | None
    diagnosis: str | None
    seen: str | None
    field: str | None

    @property
    def label(self) -> str:
        """The name, else the identifier in the feed."""
        return self.name or self.external_id

    @property
    def place(self) -> str:
        """Road, direction and milepost, as far as they are known."""
        return place(self.road, self.direction, self.milepost)

    @property
    def is_diagnosed_faulty(self) -> bool:
        """Whether the newest diagnosis found a fault."""
        return self.diagnosis not in (None, "good", "not_evaluated")


@dataclass(frozen=True, slots=True)
class Reading:
    """Speed in mph, volume in vehicles per hour, occupancy in percent."""

    sensor_id: UUID
    timestamp: datetime
    speed: float | None
    volume: int | None
    occupancy: float | None
    quality_flags: int

    @property
    def key(self) -> tuple[UUID, datetime]:
        """Sensor and time, the primary key of a reading."""
        return self.sensor_id, self.timestamp

    @property
    def is_flagged(self) -> bool:
        """Whether a quality test failed and the road was not merely empty."""
        empty = not self.speed and not self.volume and not self.occupancy
        return self.quality_flags != 0 and not (
            empty and self.quality_flags == NORMAL_ON_EMPTY_ROAD
        )

    @property
    def failed_tests(self) -> str:
        """The sentences of the failed tests, empty for a good reading."""
        failed = failed_tests(self.quality_flags) if self.is_flagged else []
        return ", ".join(test.sentence for test in failed)


@dataclass(frozen=True, slots=True)
class LiveHealth:
    """State of a detector in the last hour, and the observation as a sentence."""

    state: str
    seen: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`lag`: messages that wait to be stored. `rate`: messages per second in the last minute."""

    timezone: str
    lag: int
    partitions: int
    last_commit: datetime | None
    rate: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Rejected messages with one reason."""

    reason: str
    messages: int
    newest: datetime


def place(road: str | None, direction: str | None, milepost: float | None) -> str:
    """Return a place in words: I-205 NORTH, mile 14.32."""
    parts = " ".join(part for part in (road, direction) if part)
    mile = "" if milepost is None else f"mile {milepost:g}"
    return ", ".join(part for part in (parts, mile) if part) or "place unknown"


def runs_against_mileposts(direction: str | None) -> bool:
    """Whether mileposts fall in the direction of travel: southwards and westwards in the US."""
    return (direction or "").upper().startswith(("S", "W"))
