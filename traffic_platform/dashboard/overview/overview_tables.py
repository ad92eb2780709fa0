"""What the operator's tables show of the reader's state: plain values for templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traffic_platform.dashboard.overview.staleness import commit_note, is_stale, newest_note
from traffic_platform.dashboard.shared.model import Band, Health, Reading, Sensor, State
from traffic_platform.dashboard.shared.render import number
from traffic_platform.dashboard.shared.time_format import Zone

# A sensor's index, Band and Health.
Mark = tuple[int, int, int]

_SLOWEST = 8
_ATTENTION = 8

_BANDS: tuple[tuple[Band, str, float], ...] = (
    (Band.STOPPED, "below 40 % of free flow", 7.0),
    (Band.SLOW, "40 to 60 %", 6.3),
    (Band.DENSE, "60 to 80 %", 5.6),
    (Band.STEADY, "80 to 95 %", 5.0),
    (Band.FREE, "95 % and more", 4.4),
    (Band.UNKNOWN, "free flow or speed not known", 4.0),
    (Band.STALE, "no recent reading", 0.0),
)
_HEALTHS: tuple[tuple[Health, str, str], ...] = (
    (Health.GOOD, "reporting", "circle"),
    (Health.DIAGNOSED, "reporting, diagnosed as broken", "square"),
    (Health.STUCK, "stuck", "diamond"),
    (Health.SILENT, "silent", "cross"),
    (Health.UNKNOWN, "not expected to report", "hollow"),
)
_STATE_WORDS: Mapping[Health, tuple[str, str]] = {
    Health.DIAGNOSED: ("diagnosed", "warn"),
    Health.STUCK: ("stuck", "warn"),
    Health.SILENT: ("silent", "bad"),
}


@dataclass(frozen=True)
class Counts:
    """Sensors by what their marks say."""

    bands: Counter[int]
    healths: Counter[int]

    @property
    def recent(self) -> int:
        """Sensors with a recent reading."""
        return self.bands.total() - self.bands[Band.STALE]


def count(marks: Sequence[Mark]) -> Counts:
    """Count the marks; see `mark`."""
    return Counts(Counter(mark[1] for mark in marks), Counter(mark[2] for mark in marks))


def figures(state: State, counts: Counts, now: datetime) -> dict[str, Any]:
    """The row of figures."""
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
        "newest_clock": zone.near(newest.timestamp, now) if newest else "",
        "newest_note": newest_note(seconds, stale),
        "stale": stale,
        "commit_clock": zone.near(commit, now) if commit else "",
        "commit_note": commit_note((now - commit).total_seconds()) if commit else "",
        "reporting": counts.recent,
        "sensors": len(state.sensors),
        "quarantined": sum(reason.messages for reason in state.quarantine),
    }


def speed_legend(counts: Counts) -> list[dict[str, Any]]:
    """Sensors by speed band."""
    return [
        {
            "token": f"--band-{band.name.lower()}",
            "shape": "hollow" if band is Band.STALE else "circle",
            "radius": radius,
            "text": text,
            "count": counts.bands[band],
        }
        for band, text, radius in _BANDS
    ]


def health_legend(counts: Counts) -> list[dict[str, Any]]:
    """Sensors by health."""
    return [
        {
            "token": f"--health-{health.name.lower()}",
            "shape": shape,
            "radius": 5.0,
            "text": text,
            "count": counts.healths[health],
        }
        for health, text, shape in _HEALTHS
    ]


def feed(state: State, now: datetime) -> list[dict[str, Any]]:
    """The newest readings, newest first."""
    zone = Zone(state.zone)
    return [
        {
            "id": reading.sensor_id,
            "time": zone.near(reading.timestamp, now),
            "name": state.sensors[at].label if (at := _at(state, reading)) is not None else "new",
            "flagged": reading.is_flagged,
            "speed": reading.speed,
            "volume": reading.volume,
            "occupancy": reading.occupancy,
        }
        for reading in state.feed
    ]


def slowest(state: State, now: datetime) -> list[dict[str, Any]]:
    """Sensors whose traffic is furthest below its free-flow speed."""
    ratios = [
        (reading.speed / sensor.free_flow_mph, sensor, reading)
        for sensor in state.sensors
        if sensor.free_flow_mph
        and state.is_recent(sensor, now)
        and (reading := state.newest[sensor.sensor_id]).speed is not None
        and reading.volume
    ]
    ratios.sort(key=lambda found: found[0])
    return [
        {
            "id": sensor.sensor_id,
            "name": sensor.label,
            "place": sensor.place,
            "speed": reading.speed,
            "share": 100 * ratio,
        }
        for ratio, sensor, reading in ratios[:_SLOWEST]
    ]


def attention(state: State, limit: int = _ATTENTION) -> dict[str, Any]:
    """Detectors that are silent, stuck, or were diagnosed as broken, with the reason in words."""
    order = (Health.STUCK, Health.DIAGNOSED, Health.SILENT)
    found = [
        (health, sensor)
        for sensor in state.sensors
        if (health := state.sensor_health(sensor)) in order
    ]
    found.sort(key=lambda each: order.index(each[0]))
    known = bool(state.health)
    return {
        "rows": [_attention_row(state, health, sensor) for health, sensor in found[:limit]],
        "more": max(0, len(found) - limit),
        "nothing": "Every detector reports." if known else "Looking at the last hour …",
    }


def _attention_row(state: State, health: Health, sensor: Sensor) -> dict[str, Any]:
    word, tone = _STATE_WORDS[health]
    live = state.health.get(sensor.sensor_id)
    diagnosed = health is Health.DIAGNOSED
    seen = sensor.seen if diagnosed else live.seen if live else ""
    return {
        "id": sensor.sensor_id,
        "name": sensor.label,
        "place": f"{sensor.place} · {sensor.external_id}",
        "state": word,
        "tone": tone,
        "seen": f"{sensor.diagnosed_on}: {seen}" if diagnosed else seen,
        "field": sensor.field if diagnosed else "",
    }


def reasons(state: State, now: datetime) -> list[dict[str, Any]]:
    """Quarantine by reason."""
    zone = Zone(state.zone)
    return [
        {
            "reason": reason.reason,
            "messages": reason.messages,
            "newest": zone.near(reason.newest, now),
        }
        for reason in state.quarantine
    ]


def mark(state: State, at: int, now: datetime) -> Mark:
    """How a sensor looks on the map."""
    sensor = state.sensors[at]
    return at, int(state.band(sensor, now)), int(state.sensor_health(sensor))


def sensor_words(state: State, sensor: Sensor, now: datetime) -> list[str]:
    """What a sensor says now, as lines of text."""
    reading = state.newest.get(sensor.sensor_id)
    live = state.health.get(sensor.sensor_id)
    lines = [sensor.label, f"{sensor.place} · {sensor.external_id}"]
    if reading is None:
        lines.append("No reading yet.")
    else:
        speed = number(reading.speed, 1, "mph")
        volume = number(reading.volume, 0, "veh/h")
        lines.append(f"{speed} · {volume} · {number(reading.occupancy, 1, '%')} occupied")
        when = f"{Zone(state.zone).near(reading.timestamp, now)}"
        free = sensor.free_flow_mph
        lines.append(f"{when} · free flow {number(free, 0, 'mph')}" if free else when)
    if live is not None:
        lines.append(live.seen)
    if sensor.is_diagnosed_broken:
        lines.append(f"{sensor.diagnosed_on}: {sensor.seen}")
    return lines


def _at(state: State, reading: Reading) -> int | None:
    return state.index.get(reading.sensor_id)
