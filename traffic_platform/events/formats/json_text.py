"""Bytes of a message to text, and text to a JSON object."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.texts import Unbounded, describe

Fields = Mapping[str, Any]

MAX_BYTES = 1 << 20
"""Longest message that is decoded (1 MiB). Kafka's own default limit is about the same."""

MAX_DEPTH = 100
"""Objects and arrays inside one another. A deeper message is a nesting bomb."""

_LONGEST_INTEGER = 300  # digits; a double holds it, and no column does
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEP = np.zeros(256, np.int8)  # the change of the depth by each byte outside of texts
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1


def read_text(value: bytes | None) -> str:
    """Return a message as text. Raises Rejection for a message of any format without one."""
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


def parse_object(text: str) -> Fields:
    """Return the fields of a JSON object. Raises Rejection for any other text."""
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
    # By columns: a loop over a mebibyte of brackets would take a tenth of a second.
    outside = np.frombuffer(_STRING.sub("", text).encode(), np.uint8)
    return int(_STEP[outside].cumsum(dtype=np.int64).max(initial=0))


def _read_integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_INTEGER else Unbounded(text)


def _read_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else Unbounded(text)


def _reject_constant(text: str) -> NoReturn:
    raise Rejection(Reason.MALFORMED_JSON, f"{text} is no JSON")


_PARSER = json.JSONDecoder(
    parse_int=_read_integer, parse_float=_read_float, parse_constant=_reject_constant
)
