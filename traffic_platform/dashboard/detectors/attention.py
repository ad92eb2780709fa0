"""Detectors that need attention, from the last hour and the newest diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traffic_platform.dashboard.reader.marks import Health, sensor_health
from traffic_platform.dashboard.reader.sensors import Sensor
from traffic_platform.dashboard.reader.state import State

# In the order of the table: name and class of the chip.
_CHIPS: Mapping[Health, tuple[str, str]] = {
    Health.STUCK: ("stuck", "warn"),
    Health.DIAGNOSED: ("diagnosed", "warn"),
    Health.SILENT: ("silent", "bad"),
}


def attention(state: State, limit: int) -> dict[str, Any]:
    """Return values for detectors/attention.html, with at most `limit` detectors."""
    order = list(_CHIPS)
    found = [
        (health, sensor)
        for sensor in state.sensors
        if (health := sensor_health(state, sensor)) in _CHIPS
    ]
    found.sort(key=lambda each: order.index(each[0]))
    return {
        "rows": [_row(state, health, sensor) for health, sensor in found[:limit]],
        "more": max(0, len(found) - limit),
        "nothing": "All detectors report." if state.health else "Checking the last hour …",
    }


def _row(state: State, health: Health, sensor: Sensor) -> dict[str, Any]:
    name, tone = _CHIPS[health]
    live = state.health.get(sensor.sensor_id)
    diagnosed = health is Health.DIAGNOSED
    seen = f"{sensor.diagnosed_on}: {sensor.seen}" if diagnosed else live.seen if live else ""
    field = sensor.field if diagnosed else ""
    return {"sensor": sensor, "state": name, "tone": tone, "seen": seen, "field": field}
