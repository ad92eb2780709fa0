"""The reader's state, and the changes that it reports to pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from traffic_platform.dashboard.reader.sensors import LiveHealth, Pipeline, Reading, Reason, Sensor

RECENT_S = 300.0
RECENT_INTERVALS = 3


@dataclass(frozen=True)
class Change:
    """Parts that changed, by name, and sensors with newer readings, by index."""

    parts: frozenset[str]
    sensors: frozenset[int]


# For a page that connects: everything that may have changed since its HTML was rendered.
EVERYTHING = Change(
    frozenset({"problem", "pipeline", "feed", "ages", "quarantine", "health", "marks"}), frozenset()
)


@dataclass(frozen=True)
class Problem:
    """An error that stops updates: PostgreSQL is unavailable, or something else failed."""

    since: datetime
    is_unavailable: bool


@dataclass
class State:
    """Everything that the reader knows. The reader replaces it piece by piece; every page reads it.

    `index` holds the position of each sensor in `sensors`. `latest` is the newest reading of all.
    """

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

    def add_newest(self, readings: Sequence[Reading]) -> None:
        """Store readings that are newer than the known ones of their sensors."""
        self.newest |= {reading.sensor_id: reading for reading in readings}
        known = [*readings, self.latest] if self.latest else readings
        self.latest = max(known, key=lambda reading: reading.timestamp, default=None)

    def is_recent(self, sensor: Sensor, now: datetime) -> bool:
        """Whether the newest reading is at most 5 minutes, or 3 intervals, old."""
        reading = self.newest.get(sensor.sensor_id)
        limit = max(RECENT_S, RECENT_INTERVALS * (sensor.interval_s or 0))
        return reading is not None and (now - reading.timestamp).total_seconds() <= limit
