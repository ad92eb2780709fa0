"""What is wrong with a message that could not be decoded. Slow, and only for such messages."""

from __future__ import annotations

import re

import msgspec

from traffic_platform.events.reasons import Reason
from traffic_platform.events.timestamps import shorten

MAX_BYTES = 1024 * 1024
"""An event of 200 bytes has no business being larger than this; it is kept, but not decoded."""

_WIRE_FORMAT_HEADER = 5  # Confluent's: a zero byte and the schema's number in four
_PATH = re.compile(r" - at `\$\.?(.*)`$")


def diagnose(value: bytes | None, error: Exception) -> tuple[Reason, str]:
    """The reason and a readable detail. `error` is what decoding raised."""
    if value is None:
        return Reason.TOMBSTONE, "the message has no value"
    return _no_json(value) or _no_event(value, error)


def _no_json(value: bytes) -> tuple[Reason, str] | None:
    if not value.strip():
        return Reason.EMPTY, "the value is empty"
    if len(value) > MAX_BYTES:
        return Reason.TOO_LARGE, f"the value has {len(value)} bytes; {MAX_BYTES} are the limit"
    if value[0] == 0 and len(value) >= _WIRE_FORMAT_HEADER:
        schema = int.from_bytes(value[1:5], "big")
        return (
            Reason.CONFLUENT_WIRE_FORMAT,
            f"the value begins like Confluent's wire format (schema {schema}); send plain JSON",
        )
    try:
        value.decode()
    except UnicodeDecodeError as problem:
        return Reason.INVALID_UTF8, f"byte {problem.start} is not UTF-8: {problem.reason}"
    return None


def _no_event(value: bytes, error: Exception) -> tuple[Reason, str]:
    if isinstance(error, RecursionError):
        return Reason.TOO_DEEP, "the value nests deeper than 1,000 levels"
    if isinstance(error, msgspec.ValidationError):
        return _mistyped(value, str(error))
    return Reason.MALFORMED_JSON, f"{_clean(error)}: {shorten(value[:80])}"


def _mistyped(value: bytes, problem: str) -> tuple[Reason, str]:
    found = _PATH.search(problem)
    if found is None or not found.group(1):
        return Reason.NOT_AN_OBJECT, f"the value is no JSON object: {shorten(value[:80])}"
    path, text = found.group(1), _PATH.sub("", problem)
    detail = f"{path} {_value_at(value, path)}: {_clean(text)}"
    out = "out of range" in text
    return (Reason.OUT_OF_RANGE if out else Reason.WRONG_TYPE), detail


def _value_at(value: bytes, path: str) -> str:
    """The value of a field, as far as the message can be read without types."""
    try:
        found = msgspec.json.decode(value)
        for name in path.split("."):
            found = found[name]
    except Exception:
        return shorten(value[:80])
    return shorten(found)


def _clean(error: object) -> str:
    return str(error).encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:200]
