"""The two formats of an event as types.

flat:   {"sensor_id", "timestamp", "speed", "volume", "occupancy", "quality_score"?}
nested: {"sensor_id", "timestamp", "traffic_data": {"speed_mph", "volume_vehicles_per_hour",
        "occupancy_percent"?}, "quality_score"?}

An event whose traffic_data is an object is nested, and its flat measures are ignored like any
unknown field. Measures may be null or absent. Of a field that is there twice the last counts, as in
PostgreSQL's jsonb and most parsers (RFC 8259 leaves it open).
"""

from __future__ import annotations

import msgspec

MEASURES = ("speed", "volume", "occupancy")
NESTED_MEASURES = ("speed_mph", "volume_vehicles_per_hour", "occupancy_percent")

MAX_BYTES = 1 << 20
"""Longest message that is decoded (1 MiB); Kafka's own default limit is about the same."""

MAX_DEPTH = 100
"""Objects and arrays inside one another; more is no event but a nesting bomb."""


class TrafficData(msgspec.Struct, gc=False):
    """The measures of the nested format, under the names of the flat one."""

    speed: float | None = msgspec.field(default=None, name="speed_mph")
    volume: float | None = msgspec.field(default=None, name="volume_vehicles_per_hour")
    occupancy: float | None = msgspec.field(default=None, name="occupancy_percent")


class Event(msgspec.Struct, gc=False):
    """A message of either format: speed mph, volume vehicles per hour, occupancy percent.

    Types hold; values can still be anything that JSON can say.
    """

    sensor_id: str | int
    timestamp: str | int | float
    speed: float | None = None
    volume: float | None = None
    occupancy: float | None = None
    quality_score: float | None = None
    traffic_data: TrafficData | None = None
