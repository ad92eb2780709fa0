"""Values of messages for people: short, printable, and storable in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Self

LONGEST_VALUE = 80
"""Characters of a value that are shown."""

LONGEST_DETAIL = 200
"""Characters of a `Quarantined.detail`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unbounded(float):
    """A JSON number beyond doubles, or with more digits than any column holds: an infinity."""

    def __new__(cls, text: str) -> Self:
        """Keep the number's own text."""
        number = super().__new__(cls, "-inf" if text.startswith("-") else "inf")
        number.text = text
        return number

    text: str

    @property
    def is_integer_text(self) -> bool:
        """True when it was written without a fraction and an exponent."""
        return self.text.removeprefix("-").isdecimal()


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quote(text: str) -> str:
    """Return text between quotes, with unprintable characters and lone surrogates as escapes."""
    # Cut first, so that no character is escaped for nothing. An escape has up to 10 characters.
    return shorten(repr(text[:LONGEST_VALUE]) + "…" * (len(text) > LONGEST_VALUE), LONGEST_VALUE)


def printable(data: bytes) -> str:
    """Return bytes as one line of text, with unprintable characters as escapes.

    The result is text, not HTML: a template escapes it.
    """
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def describe(value: object) -> str:
    """Return a JSON value for a sentence: "the text 'x'", "the number 5", "an array", "true"."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {quote(value)}"
        case int() | float():
            text = value.text if isinstance(value, Unbounded) else str(value)
            return f"the number {shorten(text, LONGEST_VALUE)}"
        case list():
            return "an array"
        case _:
            return "an object"


def show_time(timestamp_us: int) -> str:
    """Return microseconds since 1970-01-01 UTC as ISO 8601, in the years 1 to 9999."""
    return utc_text(_EPOCH + timedelta(microseconds=timestamp_us))


def utc_text(moment: datetime) -> str:
    """Return a time with a zone as ISO 8601 in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
