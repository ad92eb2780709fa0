"""Values of the overview's tables and legends, from the reader's state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traffic_platform.dashboard.overview.staleness import commit_note, is_stale, newest_note
from traffic_platform.dashboard.reader.marks import Band, Health, Mark
from traffic_platform.dashboard.reader.sensors import Reading, Sensor
from traffic_platform.dashboard.reader.state import State
from traffic_platform.dashboard.shared.render import number
from traffic_platform.dashboard.shared.time_format import Zone

_SLOWEST = 8

# Text of the legend, and shape and radius of its mark.
_Legend = Sequence[tuple[Band | Health, str, str, float]]
_BANDS: _Legend = (
    (Band.STOPPED, "below 40 % of free flow", "circle", 7.0),
    (Band.SLOW, "40 to 60 %", "circle", 6.3),
    (Band.DENSE, "60 to 80 %", "circle", 5.6),
    (Band.STEADY, "80 to 95 %", "circle", 5.0),
    (Band.FREE, "95 % or more", "circle", 4.4),
    (Band.UNKNOWN, "speed or free-flow speed unknown", "circle", 4.0),
    (Band.STALE, "no recent reading", "hollow", 0.0),
)
_HEALTHS: _Legend = (
    (Health.GOOD, "reporting", "circle", 5.0),
    (Health.DIAGNOSED, "reporting, diagnosed as faulty", "square", 5.0),
    (Health.STUCK, "stuck", "diamond", 5.0),
    (Health.SILENT, "silent", "cross", 5.0),
    (Health.UNKNOWN, "not expected to report", "hollow", 5.0),
)


@dataclass(frozen=True)
class Counts:
    """Number of sensors by band and by health."""

    bands: Counter[int]
    healths: Counter[int]

    @property
    def recent(self) -> int:
        """Number of sensors with a recent reading."""
        return self.bands.total() - self.bands[Band.STALE]


def count(marks: Sequence[Mark]) -> Counts:
    """Count marks by band and by health."""
    return Counts(Counter(mark[1] for mark in marks), Counter(mark[2] for mark in marks))


def figures(state: State, counts: Counts, now: datetime) -> dict[str, Any]:
    """Return values for overview/figures.html."""
    pipeline = state.pipeline
    assert pipeline is not None
    zone = Zone(state.zone)
    newest = state.latest
    seconds = (now - newest.timestamp).total_seconds() if newest else 0.0
    stale = is_stale(counts.recent, seconds)
    commit = pipeline.last_commit
    return {
        "pipeline": pipeline,
        "newest": newest,
        "newest_clock": zone.short(newest.timestamp, now) if newest else "",
        "newest_note": newest_note(seconds, stale),
        "stale": stale,
        "commit_clock": zone.short(commit, now) if commit else "",
        "commit_note": commit_note((now - commit).total_seconds()) if commit else "",
        "reporting": counts.recent,
        "sensors": len(state.sensors),
        "quarantined": sum(reason.messages for reason in state.quarantine),
    }


def speed_legend(counts: Counts) -> list[dict[str, Any]]:
    """Return entries of overview/legend.html: sensors by band."""
    return _legend("band", _BANDS, counts.bands)


def health_legend(counts: Counts) -> list[dict[str, Any]]:
    """Return entries of overview/legend.html: sensors by health."""
    return _legend("health", _HEALTHS, counts.healths)


def _legend(name: str, legend: _Legend, counts: Counter[int]) -> list[dict[str, Any]]:
    return [
        {
            "token": f"--{name}-{mark.name.lower()}",
            "shape": shape,
            "radius": radius,
            "text": text,
            "count": counts[mark],
        }
        for mark, text, shape, radius in legend
    ]


def feed(state: State) -> list[tuple[str, Reading]]:
    """Return rows of overview/feed.html: the newest readings, newest first, with their sensors."""
    places = [(state.index.get(reading.sensor_id), reading) for reading in state.feed]
    return [
        ("new" if index is None else state.sensors[index].label, reading)
        for index, reading in places
    ]


def slowest(state: State, now: datetime) -> list[tuple[float, Sensor, Reading]]:
    """Return rows of overview/slowest.html: sensors with the lowest share of free-flow speed."""
    ratios = [
        (reading.speed / sensor.free_flow_mph, sensor, reading)
        for sensor in state.sensors
        if sensor.free_flow_mph
        and state.is_recent(sensor, now)
        and (reading := state.newest[sensor.sensor_id]).speed is not None
        and reading.volume
    ]
    ratios.sort(key=lambda found: found[0])
    return ratios[:_SLOWEST]


def tooltip_lines(state: State, sensor: Sensor, now: datetime) -> list[str]:
    """Return the lines of a sensor's tooltip."""
    reading = state.newest.get(sensor.sensor_id)
    live = state.health.get(sensor.sensor_id)
    lines = [sensor.label, f"{sensor.place} · {sensor.external_id}"]
    if reading is None:
        lines.append("No reading yet.")
    else:
        speed = number(reading.speed, 1, "mph")
        volume = number(reading.volume, 0, "veh/h")
        lines.append(f"{speed} · {volume} · {number(reading.occupancy, 1, '%')} occupancy")
        when = Zone(state.zone).short(reading.timestamp, now)
        free = sensor.free_flow_mph
        lines.append(f"{when} · free flow {number(free, 0, 'mph')}" if free else when)
    if live is not None:
        lines.append(live.seen)
    if sensor.is_diagnosed_faulty:
        lines.append(f"{sensor.diagnosed_on}: {sensor.seen}")
    return lines
