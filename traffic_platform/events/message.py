"""The two formats of an event, typed. One structure holds both, so that decoding is one pass."""

from __future__ import annotations

import msgspec


class TrafficData(msgspec.Struct, gc=False):
    """Measures of a nested event."""

    speed_mph: float | None = None
    volume_vehicles_per_hour: float | None = None
    occupancy_percent: float | None = None


class Message(msgspec.Struct, gc=False):
    """A flat event, or with `traffic_data` a nested one. Unknown fields are ignored."""

    sensor_id: str | int | None = None
    timestamp: str | int | float | None = None
    speed: float | None = None
    volume: float | None = None
    occupancy: float | None = None
    quality_score: float | None = None
    traffic_data: TrafficData | None = None
