"""Data of a sensor's charts for lib/charts.js."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from traffic_platform.dashboard.reader.sensors import Reading
from traffic_platform.dashboard.shared.time_format import Zone

# A line breaks after a pause of 10 minutes, or 3 intervals if these are longer.
_GAP_MIN = 10.0
_GAP_INTERVALS = 3


def series_data(
    zone: Zone, day: date, interval_s: float | None, readings: Sequence[Reading]
) -> dict[str, Any]:
    """Return the data of speed, flow and occupancy over a day."""
    start, _ = zone.bounds(day)
    return {
        "hours": zone.hours(day),
        "gap": max(_GAP_MIN, _GAP_INTERVALS * (interval_s or 0) / 60),
        "rows": [
            [
                round((row.timestamp - start).total_seconds() / 60, 3),
                row.speed,
                row.volume,
                row.occupancy,
                row.failed_tests,
                zone.clock(row.timestamp),
            ]
            for row in readings
        ],
    }


def scatter_data(
    zone: Zone, day: date, free_flow_mph: float | None, means: Sequence[Any]
) -> dict[str, Any]:
    """Return flow (veh/h) against density (veh/mi). `means` are rows of five_minutes.sql."""
    start, _ = zone.bounds(day)
    return {
        "rows": [
            [
                round(row.flow / row.speed, 2),
                round(row.flow),
                round(row.speed, 1),
                round((row.bucket - start).total_seconds() / 60),
            ]
            for row in means
        ],
        "free_flow": free_flow_mph,
        "hours": zone.hours(day),
    }
