"""The nested format: measures in an object, under names that say their units.

{"sensor_id", "timestamp", "quality_score"?, "traffic_data": {"speed_mph",
"volume_vehicles_per_hour", "occupancy_percent"?}}

An event whose `traffic_data` is an object is nested. Its flat measures are ignored like any unknown
field.
"""

from __future__ import annotations

from typing import Final

from traffic_platform.events.formats.json_object import JsonObject

FORMAT: Final = JsonObject(
    2,
    "nested",
    ("speed_mph", "volume_vehicles_per_hour", "occupancy_percent"),
    container="traffic_data",
)
