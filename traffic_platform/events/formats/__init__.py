"""The message formats, and the reader that chooses among them.

A new format is a module here and a line in FORMATS. JSON formats describe their fields as a
`JsonObject`. Any other format is a `TextFormat`: it says which messages it claims, and compiles a
reader of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from traffic_platform.events.formats import flat, nested
from traffic_platform.events.formats.base import Format, Read, TextFormat
from traffic_platform.events.formats.choose import choose_by_message
from traffic_platform.events.formats.json_object import JsonObject
from traffic_platform.events.formats.json_reader import compile_formats

FORMATS: Final[tuple[JsonObject | TextFormat, ...]] = (
    flat.FORMAT,
    nested.FORMAT,
)
"""All formats. The first one has the measures beside sensor and time."""


def format_of(number: int) -> Format:
    """Return the format with that number. Raises KeyError when there is none."""
    return {form.number: form for form in FORMATS}[number]


def compile_reader(
    naive_zone: ZoneInfo | None, formats: Sequence[JsonObject | TextFormat] = FORMATS
) -> Read:
    """Return a reader for batches of messages in any of the formats.

    `naive_zone` is the zone of timestamps without a zone (None: they are rejected).
    """
    objects = [form for form in formats if isinstance(form, JsonObject)]
    texts = [form for form in formats if not isinstance(form, JsonObject)]
    read_objects = compile_formats(objects, naive_zone)
    return choose_by_message(texts, read_objects, naive_zone) if texts else read_objects
