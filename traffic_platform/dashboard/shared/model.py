"""What a page shows of the sensors: who they are, what they said last, and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from traffic_platform.events.quality_tests import NORMAL_ON_EMPTY_ROAD, failed_tests

RECENT_S = 300.0
RECENT_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Sensor:
    """A detector as it is known. `interval_s`: seconds that a reading covers, if that is known."""

    sensor_id: UUID
    external_id: str
    name: str | None
    road: str | None
    direction: str | None
    milepost: float | None
    latitude: float | None
    longitude: float | None
    interval_s: int | None
    free_flow_mph: float | None
    diagnosed_on: date | None
    diagnosis: str | None
    seen: str | None
    field: str | None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.external_id

    @property
    def place(self) -> str:
        """Road, direction and milepost, as far as they are known."""
        return place(self.road, self.direction, self.milepost)

    @property
    def is_diagnosed_broken(self) -> bool:
        """Whether its newest diagnosis says so."""
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
        """What there is one reading of: a sensor and a time."""
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


class Band(IntEnum):
    """Speed relative to free flow; the numbers are those of the colours in palette.js."""

    UNKNOWN = 0
    STOPPED = 1
    SLOW = 2
    DENSE = 3
    STEADY = 4
    FREE = 5
    STALE = 6


# Below which share of the free-flow speed a band lies.
_LIMITS = ((0.4, Band.STOPPED), (0.6, Band.SLOW), (0.8, Band.DENSE), (0.95, Band.STEADY))


class Health(IntEnum):
    """What is known of a detector; the numbers are those of the colours in palette.js."""

    GOOD = 0
    DIAGNOSED = 1
    STUCK = 2
    SILENT = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class LiveHealth:
    """What a detector does now, in words."""

    state: str
    seen: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What is on its way. `lag` messages wait; `rate` messages a second of the last minute."""

    now: datetime
    lag: int
    partitions: int
    last_commit: datetime | None
    rate: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Messages in quarantine for one reason."""

    reason: str
    messages: int
    newest: datetime


@dataclass(frozen=True)
class Change:
    """What differs from before: parts of the state by name, and sensors by index."""

    parts: frozenset[str]
    sensors: frozenset[int]


# For those who come to look: all that may have changed before they came.
EVERYTHING = Change(
    frozenset({"problem", "pipeline", "feed", "ages", "quarantine", "health"}), frozenset()
)


@dataclass(frozen=True)
class Problem:
    """Why nothing new is shown, and since when: PostgreSQL is away, or something else failed."""

    since: datetime
    is_away: bool


@dataclass
class State:
    """Everything that the reader knows; replaced piece by piece, read by every page."""

    zone: str
    problem: Problem | None = None
    pipeline: Pipeline | None = None
    sensors: Sequence[Sensor] = ()
    index: dict[UUID, int] = field(default_factory=dict[UUID, int])
    newest: dict[UUID, Reading] = field(default_factory=dict[UUID, Reading])
    latest: Reading | None = None
    feed: Sequence[Reading] = ()
    health: dict[UUID, LiveHealth] = field(default_factory=dict[UUID, LiveHealth])
    quarantine: Sequence[Reason] = ()

    def let_in(self, readings: Sequence[Reading]) -> None:
        """These are newer than what was known of their sensors; `latest` is that of all."""
        self.newest |= {reading.sensor_id: reading for reading in readings}
        known = [*readings, self.latest] if self.latest else readings
        self.latest = max(known, key=lambda reading: reading.timestamp, default=None)

    def is_recent(self, sensor: Sensor, now: datetime) -> bool:
        """Whether its newest reading still says something: 5 minutes, or 3 of its intervals."""
        reading = self.newest.get(sensor.sensor_id)
        limit = max(RECENT_S, RECENT_INTERVALS * (sensor.interval_s or 0))
        return reading is not None and (now - reading.timestamp).total_seconds() <= limit

    def band(self, sensor: Sensor, now: datetime) -> Band:
        """How fast traffic is there."""
        if not self.is_recent(sensor, now):
            return Band.STALE
        reading = self.newest[sensor.sensor_id]
        if reading.speed is None or not sensor.free_flow_mph or not reading.volume:
            # Without a vehicle there is no speed: an empty road is a free one.
            return Band.FREE if reading.volume == 0 and not reading.occupancy else Band.UNKNOWN
        ratio = reading.speed / sensor.free_flow_mph
        return next((band for limit, band in _LIMITS if ratio < limit), Band.FREE)

    def sensor_health(self, sensor: Sensor) -> Health:
        """What it does now goes before what was diagnosed of a day that is over."""
        live = self.health.get(sensor.sensor_id)
        if live is None:
            return Health.UNKNOWN
        if live.state != "reporting":
            return Health.STUCK if live.state == "stuck" else Health.SILENT
        return Health.DIAGNOSED if sensor.is_diagnosed_broken else Health.GOOD


def place(road: str | None, direction: str | None, milepost: float | None) -> str:
    """I-205 NORTH, mile 14.32."""
    parts = " ".join(part for part in (road, direction) if part)
    mile = "" if milepost is None else f"mile {milepost:g}"
    return ", ".join(part for part in (parts, mile) if part) or "place not known"
