"""The flat format: measures beside sensor and time.

{"sensor_id", "timestamp", "speed", "volume", "occupancy", "quality_score"?}
"""

from __future__ import annotations

from typing import Final

from traffic_platform.events.formats.json_object import JsonObject
from traffic_platform.events.measures import MEASURES

FORMAT: Final = JsonObject(1, "flat", tuple(measure.name for measure in MEASURES))
