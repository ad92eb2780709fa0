"""The slow way to read one message: says what is wrong with it, or returns the event that it is.

Messages that the fast way cannot read come here. What both can read, both read alike.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import numpy as np

from traffic_platform.events.messages import (
    MAX_BYTES,
    MAX_DEPTH,
    MEASURES,
    NESTED_MEASURES,
    Event,
    TrafficData,
)
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.sensor_ids import read_external_id
from traffic_platform.events.texts import Unbounded, describe
from traffic_platform.events.timestamps import to_microseconds

Fields = Mapping[str, Any]
Zone = ZoneInfo | None

_LONGEST_INTEGER = 300  # digits; a double holds it, and no column does
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEP = np.zeros(256, np.int8)  # what a byte outside of texts adds to the depth
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1


def examine(value: bytes | None, naive_zone: Zone) -> Event:
    """Read a message whose structure, sensor and timestamp are right. Raises Refusal otherwise.

    Whether it measures anything, and whether time and measures are in range, is asked of columns.
    """
    fields = _parse(_text(value))
    try:
        _check_types(fields)
        _require(fields, "sensor_id", Reason.MISSING_SENSOR_ID)
        read_external_id(fields["sensor_id"])
    except Rejection as refusal:
        refusal.timestamp_us = _timestamp_if_any(fields, naive_zone)
        raise
    _require(fields, "timestamp", Reason.MISSING_TIMESTAMP)
    to_microseconds(fields["timestamp"], naive_zone)
    return _event(fields)


def _text(value: bytes | None) -> str:
    if value is None:
        raise Rejection(Reason.TOMBSTONE, "the message has no value: a tombstone")
    if not value:
        raise Rejection(Reason.EMPTY, "the value has no bytes")
    if len(value) > MAX_BYTES:
        raise Rejection(
            Reason.TOO_LARGE, f"the value has {len(value)} bytes, and {MAX_BYTES} are allowed"
        )
    if value[0] == 0 and len(value) >= 5:
        raise Rejection(
            Reason.CONFLUENT_WIRE_FORMAT,
            f"the value begins like Confluent's wire format with schema id "
            f"{int.from_bytes(value[1:5], 'big')}; plain JSON is read: give the producer a JSON "
            "serializer without a schema registry",
        )
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Rejection(
            Reason.INVALID_UTF8,
            f"byte 0x{value[error.start]:02x} at position {error.start} is no UTF-8",
        ) from None


def _parse(text: str) -> Fields:
    if _depth(text) > MAX_DEPTH:
        raise Rejection(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} objects and arrays")
    try:
        document = _PARSER.decode(text)
    except json.JSONDecodeError as error:
        raise Rejection(
            Reason.MALFORMED_JSON, f"no JSON at character {error.pos}: {error.msg}"
        ) from None
    if not isinstance(document, dict):
        raise Rejection(Reason.NOT_AN_OBJECT, f"the message is {describe(document)}, not an object")
    return document


def _depth(text: str) -> int:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return 0
    # By columns: of a mebibyte of brackets a loop over them would make a tenth of a second.
    outside = np.frombuffer(_STRING.sub("", text).encode(), np.uint8)
    return int(_STEP[outside].cumsum(dtype=np.int64).max(initial=0))


def _check_types(fields: Fields) -> None:
    sensor = fields.get("sensor_id")
    if not (isinstance(sensor, Unbounded) and sensor.is_integer_text):
        _check(sensor, (str, int), "sensor_id", "text or an integer")
    _check(fields.get("timestamp"), (str, int, float), "timestamp", "text or a number")
    nested = fields.get("traffic_data")
    _check(nested, (dict,), "traffic_data", "an object")
    if nested is None:
        for name in MEASURES:
            _check(fields.get(name), (int, float), name, "a number")
    else:
        for name in NESTED_MEASURES:
            _check(nested.get(name), (int, float), f"traffic_data.{name}", "a number")
    _check(fields.get("quality_score"), (int, float), "quality_score", "a number")


def _check(value: object, types: tuple[type, ...], name: str, expected: str) -> None:
    # bool is a subclass of int.
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        raise Rejection(Reason.WRONG_TYPE, f"{name} is {describe(value)}, not {expected}")


def _require(fields: Fields, name: str, reason: Reason) -> None:
    if fields.get(name) is None:
        raise Rejection(reason, f"{name} is {'null' if name in fields else 'absent'}")


def _timestamp_if_any(fields: Fields, naive_zone: Zone) -> int | None:
    value = fields.get("timestamp")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return to_microseconds(value, naive_zone)
    except Rejection:
        return None


def _event(fields: Fields) -> Event:
    nested = fields.get("traffic_data")
    event = Event(
        fields["sensor_id"],
        fields["timestamp"],
        quality_score=_number(fields.get("quality_score")),
    )
    if nested is None:
        event.speed, event.volume, event.occupancy = (
            _number(fields.get(name)) for name in MEASURES
        )
    else:
        event.traffic_data = TrafficData(*(_number(nested.get(name)) for name in NESTED_MEASURES))
    return event


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _read_integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_INTEGER else Unbounded(text)


def _read_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else Unbounded(text)


def _refuse_constant(text: str) -> NoReturn:
    raise Rejection(Reason.MALFORMED_JSON, f"{text} is no JSON")


_PARSER = json.JSONDecoder(
    parse_int=_read_integer, parse_float=_read_float, parse_constant=_refuse_constant
)
