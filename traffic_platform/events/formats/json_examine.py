"""The slow way to read one JSON message: the reason of its rejection, or its event.

Messages that the typed decoder cannot read come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from traffic_platform.events.formats.base import SentSensor, SentTime
from traffic_platform.events.formats.json_object import JsonObject
from traffic_platform.events.formats.json_text import Fields, parse_object, read_text
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.sensor_ids import read_external_id
from traffic_platform.events.texts import Unbounded, describe
from traffic_platform.events.timestamps import to_microseconds


@dataclass(frozen=True)
class Found:
    """An event as its message spells it; `measures` are in the order of MEASURES."""

    form: JsonObject
    sensor: SentSensor
    time: SentTime
    measures: list[float | None]
    reported: float | None


def examine(
    value: bytes | None, formats: Sequence[JsonObject], naive_zone: ZoneInfo | None
) -> Found:
    """Read a message whose structure, sensor and timestamp are valid. Raises Rejection otherwise.

    The first format has no container, the others have one. The columns of a batch tell later
    whether an event has a measure, and whether its time and measures are in range.
    """
    fields = parse_object(read_text(value))
    try:
        _check_identity(fields)
        form = _choose(fields, formats)
        measures = _read_measures(fields, form)
        reported = _number(fields, "quality_score", "quality_score")
        _require(fields, "sensor_id", Reason.MISSING_SENSOR_ID)
        read_external_id(fields["sensor_id"])
    except Rejection as rejection:
        rejection.timestamp_us = _timestamp_if_any(fields, naive_zone)
        raise
    _require(fields, "timestamp", Reason.MISSING_TIMESTAMP)
    to_microseconds(fields["timestamp"], naive_zone)
    return Found(form, fields["sensor_id"], fields["timestamp"], measures, reported)


def _check_identity(fields: Fields) -> None:
    sensor = fields.get("sensor_id")
    if not (isinstance(sensor, Unbounded) and sensor.is_integer_text):
        _check(sensor, (str, int), "sensor_id", "text or an integer")
    _check(fields.get("timestamp"), (str, int, float), "timestamp", "text or a number")


def _choose(fields: Fields, formats: Sequence[JsonObject]) -> JsonObject:
    """Return the last format whose container the message has, else the first."""
    chosen = formats[0]
    for form in formats[1:]:
        held = fields.get(form.container)
        _check(held, (dict,), form.container, "an object")
        if held is not None:
            chosen = form
    return chosen


def _read_measures(fields: Fields, form: JsonObject) -> list[float | None]:
    source = fields[form.container] if form.container else fields
    return [_number(source, name, path) for name, path in zip(form.fields, form.paths, strict=True)]


def _number(fields: Fields, name: str, path: str) -> float | None:
    value = fields.get(name)
    _check(value, (int, float), path, "a number")
    return None if value is None else float(value)


def _check(value: object, types: tuple[type, ...], name: str, expected: str) -> None:
    # bool is a subclass of int.
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        raise Rejection(Reason.WRONG_TYPE, f"{name} is {describe(value)}, not {expected}")


def _require(fields: Fields, name: str, reason: Reason) -> None:
    if fields.get(name) is None:
        raise Rejection(reason, f"{name} is {'null' if name in fields else 'absent'}")


def _timestamp_if_any(fields: Fields, naive_zone: ZoneInfo | None) -> int | None:
    value = fields.get("timestamp")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return to_microseconds(value, naive_zone)
    except Rejection:
        return None
