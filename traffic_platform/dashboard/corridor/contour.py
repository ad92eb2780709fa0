"""Data of the speed contour for lib/charts.js."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from traffic_platform.dashboard.reader.sensors import runs_against_mileposts
from traffic_platform.dashboard.shared.time_format import Zone

_BUCKET_MIN = 5
# A sensor represents the road halfway to the next sensor, but at most this far (miles).
_REACH_MI = 1.0
_END_MI = 0.25  # beyond the first and the last sensor
_TOP_MPH = 70


def contour_data(
    zone: Zone, day: date, direction: str | None, places: Sequence[Any], cells: Sequence[Any]
) -> dict[str, Any]:
    """Return the contour's data. `places` are rows of places.sql, `cells` of contour.sql."""
    start, _ = zone.bounds(day)
    miles = [place.milepost for place in places]
    reaches = _reaches(miles)
    index = {mile: position for position, mile in enumerate(miles)}
    return {
        "zone": zone.name,
        "hours": zone.hours(day),
        "width": _BUCKET_MIN,
        "first": reaches[0][0],
        "last": reaches[-1][1],
        "inverse": runs_against_mileposts(direction),
        "top": _TOP_MPH,
        "places": [place.name for place in places],
        "cells": [
            [
                round((cell.bucket - start).total_seconds() / 60),
                *reaches[index[cell.milepost]],
                round(cell.speed, 1),
                None if cell.flow is None else round(cell.flow),
                index[cell.milepost],
                cell.milepost,
            ]
            for cell in cells
            if cell.speed is not None
        ],
    }


def slowest_cell(cells: Sequence[Any]) -> Any | None:
    """Return the cell with the lowest speed; None if no cell has a speed."""
    measured = [cell for cell in cells if cell.speed is not None]
    return min(measured, key=lambda cell: cell.speed, default=None)


def lowest_speeds(cells: Sequence[Any]) -> dict[float, float]:
    """Return the lowest speed (mph) of each milepost."""
    lowest: dict[float, float] = {}
    for cell in cells:
        if cell.speed is not None:
            lowest[cell.milepost] = min(cell.speed, lowest.get(cell.milepost, cell.speed))
    return lowest


def _reaches(miles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the stretch of road (mileposts) that each place represents."""
    reaches: list[tuple[float, float]] = []
    for at, mile in enumerate(miles):
        below = (mile - miles[at - 1]) / 2 if at else _END_MI
        above = (miles[at + 1] - mile) / 2 if at + 1 < len(miles) else _END_MI
        reaches.append((mile - min(below, _REACH_MI), mile + min(above, _REACH_MI)))
    return reaches
