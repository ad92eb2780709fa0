"""The registry of message formats, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from traffic_platform.events.columns import Quarantined
from traffic_platform.events.decode import Decoder
from traffic_platform.events.formats import FORMATS, compile_reader, format_of
from traffic_platform.events.formats.base import Format, Read, SentEvents, Values
from traffic_platform.events.measures import MEASURES, Measures
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules

NUMBERS = list(range(1, len(MEASURES) + 1))
TIME = b"2025-10-04T12:00:00Z"
NOON_US = 1_759_579_200_000_000


def message(form: Format) -> bytes:
    """Return an event in a format, with the measures 1, 2, 3 …"""
    return form.template % (b"a", TIME, *(b"%d" % number for number in NUMBERS))


def test_every_format_has_a_number_and_a_name_of_its_own() -> None:
    assert len({form.number for form in FORMATS}) == len(FORMATS)
    assert len({form.name for form in FORMATS}) == len(FORMATS)
    assert [format_of(form.number) for form in FORMATS] == list(FORMATS)
    assert {form.name: form.number for form in FORMATS}.items() >= {("flat", 1), ("nested", 2)}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_message_of_each_format_is_read(form: Format) -> None:
    decoder = Decoder(Rules(date(2010, 1, 1), None, "UTC"))
    decoded = decoder.decode([message(form), *map(message, FORMATS)], NOON_US)
    assert decoded.quarantined == []
    assert decoded.processed.format.tolist() == [form.number, *(each.number for each in FORMATS)]
    for column, number in zip(decoded.processed.measures, NUMBERS, strict=True):
        assert set(column.tolist()) == {number}


@dataclass(frozen=True)
class Lines:
    """A format of lines, "line:SENSOR TIME". Its only measure is 7."""

    number: int = 99
    name: str = "lines"
    paths: tuple[str, ...] = tuple(measure.name for measure in MEASURES)
    template: bytes = b"line:%b %b"

    def claims(self, value: bytes) -> bool:
        """Return true for a line."""
        return value.startswith(b"line:")

    def compile(self, naive_zone: ZoneInfo | None) -> Read:
        """Return a reader of lines."""

        def read(values: Values) -> tuple[SentEvents, list[Quarantined]]:
            lines = [(value or b"").decode().removeprefix("line:").split() for value in values]
            kept = [row for row, line in enumerate(lines) if len(line) == 2]
            return SentEvents(
                index=np.array(kept, np.int64),
                sensors=[lines[row][0] for row in kept],
                times=[lines[row][1] for row in kept],
                measures=Measures(*np.full((len(MEASURES), len(kept)), 7.0)),
                reported=np.full(len(kept), np.nan),
                format=np.full(len(kept), self.number, np.int16),
            ), [
                Quarantined.of(row, Rejection(Reason.WRONG_TYPE, "no line"))
                for row, line in enumerate(lines)
                if len(line) != 2
            ]

        return read


def test_a_format_reads_the_messages_that_it_claims_among_others() -> None:
    flat = message(FORMATS[0])
    values = [b"line:a 1", flat, b"line:b", None, b"line:c 2", b"{"]
    sent, rejected = compile_reader(None, [*FORMATS, Lines()])(values)
    assert sent.index.tolist() == [0, 1, 4]
    assert sent.format.tolist() == [99, 1, 99]
    assert sent.sensors == ["a", "a", "c"]
    assert sorted((item.index, item.reason.value) for item in rejected) == [
        (2, "wrong_type"),
        (3, "tombstone"),
        (5, "malformed_json"),
    ]


def test_no_messages_are_no_events() -> None:
    for formats in (FORMATS, [*FORMATS, Lines()]):
        sent, rejected = compile_reader(None, formats)([])
        assert (len(sent.index), rejected) == (0, [])
