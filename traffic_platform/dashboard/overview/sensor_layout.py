"""Layout of sensors: on a map by coordinates, else on a line by milepost."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from traffic_platform.dashboard.reader.sensors import Sensor, runs_against_mileposts

Place = tuple[float, float, float, float, list[int]]


@dataclass
class Layout:
    """Places and roads of one drawing.

    A place is (x, y, nx, ny, indices of its sensors, one per lane). x and y are degrees of
    longitude and latitude, or miles and rows. (nx, ny) points to the right of traffic, with y
    upwards, so that lanes and directions lie side by side. A road is its name and its points in
    order.
    """

    places: list[Place] = field(default_factory=list[Place])
    roads: list[tuple[str, list[tuple[float, float]]]] = field(
        default_factory=list[tuple[str, list[tuple[float, float]]]]
    )

    def encode(self) -> str:
        """Return JSON for sensor_map.js."""
        return json.dumps({"places": self.places, "roads": self.roads}, separators=(",", ":"))


@dataclass
class Layouts:
    """Sensors on the map, sensors on lines, and indices of those without a known place."""

    geographic: Layout = field(default_factory=Layout)
    schematic: Layout = field(default_factory=Layout)
    unplaced: list[int] = field(default_factory=list[int])


def lay_out(sensors: Sequence[Sensor]) -> Layouts:
    """Lay out sensors, which are ordered by road, direction and milepost."""
    layouts = Layouts()
    mapped: list[int] = []
    lined: list[int] = []
    for at, sensor in enumerate(sensors):
        if sensor.latitude is not None and sensor.longitude is not None:
            mapped.append(at)
        elif sensor.road is not None and sensor.milepost is not None:
            lined.append(at)
        else:
            layouts.unplaced.append(at)
    for name, members in _roads(sensors, mapped):
        _draw_on_map(layouts.geographic, sensors, name, members)
    row = 0
    for name, members in _roads(sensors, lined):
        _draw_on_line(layouts.schematic, sensors, name, members, row)
        row -= 1
    return layouts


def _roads(sensors: Sequence[Sensor], indices: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Yield name and indices of each road and direction."""
    for (road, direction), members in groupby(
        indices, lambda at: (sensors[at].road, sensors[at].direction)
    ):
        yield " ".join(part for part in (road, direction) if part), list(members)


def _draw_on_map(
    layout: Layout, sensors: Sequence[Sensor], name: str, members: Sequence[int]
) -> None:
    places: defaultdict[tuple[float, float], list[int]] = defaultdict(list)
    for at in members:
        sensor = sensors[at]
        places[sensor.longitude or 0.0, sensor.latitude or 0.0].append(at)
    line = list(places)
    # Only sensors with a road and a milepost form a line.
    connected = bool(name) and all(sensors[at].milepost is not None for at in members)
    if connected and len(line) > 1:
        layout.roads.append((name, line))
    normals = _normals(line, runs_against_mileposts(sensors[members[0]].direction))
    if not connected:
        normals = [(0.0, 0.0)] * len(line)
    for (x, y), (nx, ny) in zip(line, normals, strict=True):
        here = places[x, y]
        layout.places.append((round(x, 6), round(y, 6), round(nx, 3), round(ny, 3), here))


def _normals(line: Sequence[tuple[float, float]], backwards: bool) -> list[tuple[float, float]]:
    """Return, for each point, the unit vector to the right of traffic in a conformal projection."""
    normals: list[tuple[float, float]] = []
    for at in range(len(line)):
        (x0, y0), (x1, y1) = line[max(0, at - 1)], line[min(len(line) - 1, at + 1)]
        dx, dy = (x1 - x0) * math.cos(math.radians((y0 + y1) / 2)), y1 - y0
        length = math.hypot(dx, dy)
        sign = -1 if backwards else 1
        normals.append((sign * dy / length, -sign * dx / length) if length else (1.0, 0.0))
    return normals


def _draw_on_line(
    layout: Layout, sensors: Sequence[Sensor], name: str, members: Sequence[int], row: int
) -> None:
    places: defaultdict[float, list[int]] = defaultdict(list)
    for at in members:
        places[sensors[at].milepost or 0.0].append(at)
    layout.roads.append((name, [(mile, float(row)) for mile in places]))
    layout.places += [(mile, float(row), 0.0, -1.0, here) for mile, here in places.items()]
