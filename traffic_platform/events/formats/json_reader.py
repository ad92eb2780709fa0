"""The reader of all formats that are JSON objects.

Only its fields tell the format of an object, so one typed decoder reads all formats in one pass.
Messages that it cannot read go through `json_examine`, one by one. Both ways read alike, so the
result of a message does not depend on its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from traffic_platform.events.columns import Quarantined, Rows
from traffic_platform.events.formats.base import Read, SentEvents, Values
from traffic_platform.events.formats.json_examine import examine
from traffic_platform.events.formats.json_object import JsonObject
from traffic_platform.events.formats.prefilter import replace_unsafe
from traffic_platform.events.measures import Measures, to_floats
from traffic_platform.events.reasons import Rejection

UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""Errors of the typed decoder."""


class JsonReader:
    """Reads objects of several formats. The first format has no container, the others have one."""

    def __init__(self, formats: Sequence[JsonObject], naive_zone: ZoneInfo | None) -> None:
        self._formats = formats
        self._naive_zone = naive_zone
        self._holders = {form: _holder_type(form) for form in formats[1:]}
        self._event = _event_type(formats[0], self._holders)
        self._placeholder = self._event("", 0)
        self.read_fast: Callable[[bytes], Any] = msgspec.json.Decoder(self._event).decode

    def read(self, values: Values) -> tuple[SentEvents, list[Quarantined]]:
        """Return the events and the rejected messages of a batch."""
        events: list[Any] = []
        unread: list[int] = []
        read_fast, placeholder = self.read_fast, self._placeholder
        for value in replace_unsafe(values):
            try:
                events.append(read_fast(value))
            except UNREADABLE:
                unread.append(len(events))
                events.append(placeholder)
        rejected: list[Quarantined] = []
        for position in unread:
            try:
                events[position] = self.read_slowly(values[position])
            except Rejection as rejection:
                rejected.append(Quarantined.of(position, rejection))
        kept = np.ones(len(events), np.bool_)
        kept[[item.index for item in rejected]] = False
        if rejected:
            events = list(compress(events, kept.tolist()))
        return self.columns(np.flatnonzero(kept), events), rejected

    def read_slowly(self, value: bytes | None) -> Any:
        """Read one message as the typed decoder does. Raises Rejection with the reason."""
        found = examine(value, self._formats, self._naive_zone)
        event = self._event(found.sensor, found.time, quality_score=found.reported)
        source: Any = event
        if found.form.container:
            source = self._holders[found.form]()
            setattr(event, found.form.container, source)
        for name, number in zip(Measures._fields, found.measures, strict=True):
            setattr(source, name, number)
        return event

    def columns(self, positions: Rows, events: Sequence[Any]) -> SentEvents:
        """Return events of the messages at `positions` as columns."""
        count = len(events)
        sources: Sequence[Any] = events
        numbers = np.full(count, self._formats[0].number, np.int16)
        for form in self._holders:
            holders = list(map(attrgetter(form.container), events))
            held = np.fromiter([holder is not None for holder in holders], np.bool_, count)
            if held.any():
                sources = [
                    holder or source for holder, source in zip(holders, sources, strict=True)
                ]
                numbers[held] = form.number
        return SentEvents(
            index=positions,
            sensors=[event.sensor_id for event in events],
            times=[event.timestamp for event in events],
            measures=Measures.of(sources),
            reported=to_floats([event.quality_score for event in events]),
            format=numbers,
            parsed=events,
        )


def compile_formats(formats: Sequence[JsonObject], naive_zone: ZoneInfo | None) -> Read:
    """Return a reader for batches of messages of these formats."""
    return JsonReader(formats, naive_zone).read


def _event_type(
    flat: JsonObject, holders: Mapping[JsonObject, type[msgspec.Struct]]
) -> Callable[..., Any]:
    fields = [("sensor_id", str | int), ("timestamp", str | int | float), *_measures(flat)]
    score = ("quality_score", float | None, None)
    held = [(form.container, holder | None, None) for form, holder in holders.items()]
    return msgspec.defstruct("Event", [*fields, score, *held], gc=False)


def _holder_type(form: JsonObject) -> type[msgspec.Struct]:
    return msgspec.defstruct("Holder", _measures(form), gc=False)


def _measures(form: JsonObject) -> list[tuple[str, Any, Any]]:
    """Fields under the names of the measures, read from the format's own names."""
    return [
        (name, float | None, msgspec.field(default=None, name=field))
        for name, field in zip(Measures._fields, form.fields, strict=True)
    ]
