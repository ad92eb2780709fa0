"""Properties of decoding for any bytes, in any batches."""

from __future__ import annotations

import json
import math
import string
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from traffic_platform.events.columns import Decoded
from traffic_platform.events.decode import Decoder
from traffic_platform.events.formats import FORMATS
from traffic_platform.events.formats.json_object import JsonObject
from traffic_platform.events.formats.json_reader import UNREADABLE, JsonReader
from traffic_platform.events.formats.prefilter import replace_unsafe
from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.events.texts import LONGEST_DETAIL

ZONE = "America/Los_Angeles"
EVERY_FLAG = sum(test.bit for test in QUALITY_TESTS)
NOON_US = 1_759_579_200_000_000
HEAD = b'{"sensor_id":"a","timestamp":"2025-10-04T12:00:00Z"'

rules = st.sampled_from(
    [Rules(date(2010, 1, 1), None, "UTC"), Rules(date(2010, 1, 1), ZONE, "Asia/Tokyo")]
)
odd_texts = st.text(st.characters(codec=None), max_size=8)  # lone surrogates too
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()  # json writes NaN and Infinity as such
    | odd_texts
    | st.sampled_from([10**18, 10**400, 2**31, -0.0, 1e-320, "", "\0", "x" * 256])
)
structures = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
sensors = st.sampled_from(["a", "b", 7, "7", str(sensor_uuid("a")), str(sensor_uuid("b")).upper()])
times = st.sampled_from(
    [
        "2025-10-04T12:00:00Z",
        "2025-10-04T12:00:00+02:00",
        "2025-10-04 12:00:00",
        "2011-11-06T01:30:00",
        1_759_579_200,
        1_759_579_200_000,
        1_759_579_200.25,
        "2099-01-01T00:00:00Z",
        "1999-01-01T00:00:00Z",
    ]
)
measures = (
    st.none()
    | st.sampled_from([0, 0.5, 3, 5, 100, 101, 300, 3060, 3061, 100_000])
    | st.floats(0, 100)
    | st.integers(-2, 110_000)
)


def mostly(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Those values, and now and then anything."""
    return st.one_of(values, values, values, structures)


def fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, with measures."""
    return st.fixed_dictionaries({}, optional={name: mostly(measures) for name in names})


bodies = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()},
    st.fixed_dictionaries({"sensor_id": mostly(sensors), "timestamp": mostly(times)}),
    fields("speed", "volume", "occupancy"),
    st.fixed_dictionaries(
        {},
        optional={
            "traffic_data": mostly(
                fields("speed_mph", "volume_vehicles_per_hour", "occupancy_percent")
            ),
            "quality_score": mostly(st.floats(0, 1)),
            "note": structures,
        },
    ),
)
events = st.builds(
    lambda body, plain: json.dumps(body, ensure_ascii=plain).encode("utf-8", "surrogatepass"),
    bodies,
    st.booleans(),
)


@st.composite
def damaged_events(draw: st.DrawFn) -> bytes:
    """An event with bytes removed, replaced and put in."""
    value = draw(events)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = draw(st.integers(start, min(len(value), start + 4)))
        tokens = [b"", b'"', b"\\", b"{", b"]", b",", b":", b"null", b"-", b"e9", b"\xff", b"\n"]
        value = value[:start] + draw(st.sampled_from(tokens) | st.binary(max_size=3)) + value[end:]
    return value


@st.composite
def noted_events(draw: st.DrawFn) -> bytes:
    """An event with an unknown field that holds anything that looks like JSON."""
    alphabet = string.digits + '"\\/{}[]:,.-+eE \n\tunltrasfdNI\x7fé\ud800'
    note = draw(st.text(alphabet, max_size=12)).encode("utf-8", "surrogatepass")
    return HEAD + b',"speed":1,"note":' + note + b"}"


messages = st.one_of(
    st.none(),
    st.binary(max_size=60),
    events,
    events,
    structures.map(lambda body: json.dumps(body).encode()),
    damaged_events(),
    noted_events(),
)
batches = st.lists(messages, max_size=12)


def ends(decoded: Decoded, count: int) -> list[tuple[object, ...]]:
    """What became of each of `count` messages; nulls as None, so that they compare."""
    found: dict[int, tuple[object, ...]] = {}
    row = decoded.processed
    for number, position in enumerate(row.index.tolist()):
        numbers = (*row.measures, row.quality_score)
        found[position] = (
            row.sensor_id[number].tobytes(),
            int(row.timestamp_us[number]),
            *(None if np.isnan(column[number]) else float(column[number]) for column in numbers),
            int(row.quality_flags[number]),
            int(row.format[number]),
        )
    for item in decoded.quarantined:
        assert item.index not in found
        found[item.index] = (item.reason, item.detail, item.timestamp_us)
    assert sorted(found) == list(range(count))
    return [found[position] for position in range(count)]


@settings(deadline=None, max_examples=300)
@given(rules, batches)
def test_every_message_ends_in_exactly_one_place(rules: Rules, values: list[bytes | None]) -> None:
    decoded = Decoder(rules).decode(values, NOON_US)
    ends(decoded, len(values))
    assert decoded.processed.index.tolist() == sorted(decoded.processed.index.tolist())
    assert [item.index for item in decoded.quarantined] == sorted(
        item.index for item in decoded.quarantined
    )
    assert set(decoded.sensors) == {bytes(row) for row in decoded.processed.sensor_id}
    for key, name in decoded.sensors.items():
        assert sensor_uuid(name).bytes == key
        assert name.encode().count(0) == 0
    for item in decoded.quarantined:
        assert isinstance(item.reason, Reason)
        assert len(item.detail) <= LONGEST_DETAIL
        assert 0 not in item.detail.encode()


@settings(deadline=None)
@given(st.lists(st.binary() | st.none()))
def test_no_bytes_crash_the_decoder(values: list[bytes | None]) -> None:
    decoder = Decoder(Rules(date(2010, 1, 1), None, "UTC"))
    assert len(ends(decoder.decode(values, NOON_US), len(values))) == len(values)


@settings(deadline=None, max_examples=200)
@given(rules, batches, st.data())
def test_what_becomes_of_a_message_depends_on_no_other(
    rules: Rules, values: list[bytes | None], data: st.DataObject
) -> None:
    decoder = Decoder(rules)
    together = ends(decoder.decode(values, NOON_US), len(values))
    order = data.draw(st.permutations(range(len(values))))
    cut = data.draw(st.integers(0, len(values)))
    for part in (order[:cut], order[cut:]):
        mixed = ends(decoder.decode([values[at] for at in part], NOON_US), len(part))
        assert mixed == [together[at] for at in part]
    alone = [ends(Decoder(rules).decode([value], NOON_US), 1)[0] for value in values]
    assert alone == together


@settings(deadline=None, max_examples=300)
@given(rules, batches)
def test_scores_are_shares_and_never_above_the_reported(
    rules: Rules, values: list[bytes | None]
) -> None:
    row = Decoder(rules).decode(values, NOON_US).processed
    assert ((row.quality_score >= 0) & (row.quality_score <= 1)).all()
    assert ((row.quality_flags >= 0) & (row.quality_flags <= EVERY_FLAG)).all()
    assert (
        np.isnan(row.measures.volume) | (row.measures.volume == np.rint(row.measures.volume))
    ).all()
    for position, score in zip(row.index.tolist(), row.quality_score.tolist(), strict=True):
        reported = json.loads(values[position] or b"").get("quality_score")
        assert reported is None or score <= reported


READER = JsonReader(
    [form for form in FORMATS if isinstance(form, JsonObject)], naive_zone=ZoneInfo(ZONE)
)


def read_fast(value: bytes) -> Any:
    """Return the typed decoder's event; None when it leaves the message to the slow way."""
    [safe] = replace_unsafe([value])
    try:
        return READER.read_fast(safe)
    except UNREADABLE:
        return None


def read_slow(value: bytes) -> Any:
    """Return the slow way's event, or the reason of its rejection."""
    try:
        return READER.read_slowly(value)
    except Rejection as rejection:
        return rejection.reason


def contents(event: Any) -> tuple[object, ...]:
    """Return the used parts of an event."""
    sent = READER.columns(np.zeros(1, np.int64), [event])
    numbers = [*sent.measures, sent.reported]
    return (*sent.sensors, *sent.times, *(repr(column[0]) for column in numbers), sent.format[0])


FOUND_WITHOUT_STRUCTURE = {
    Reason.INVALID_SENSOR_ID,
    Reason.INVALID_TIMESTAMP,
    Reason.AMBIGUOUS_LOCAL_TIME,
    Reason.NONEXISTENT_LOCAL_TIME,
}


@settings(deadline=None, max_examples=1000)
@given(events | damaged_events() | noted_events())
@example(HEAD + b',"speed":1.7976931348623157e308}')
@example(HEAD + b',"speed":1,"note":"\\ud800"}')
@example(HEAD + b',"speed":0.1000000000000000055511151231257827021181583404541015625001}')
@example(HEAD + b',"speed":1,"note":"\x7f"}')
def test_the_fast_and_the_slow_way_read_alike(value: bytes) -> None:
    fast, slow = read_fast(value), read_slow(value)
    if fast is not None:
        if isinstance(slow, Reason):
            assert slow in FOUND_WITHOUT_STRUCTURE
        else:
            assert contents(fast) == contents(slow)


@settings(deadline=None, max_examples=500)
@given(st.floats(0, 1e30), st.sampled_from(["%r", "%.30e", "%.40f", "%.5g"]))
def test_both_ways_read_a_number_to_the_same_double(number: float, notation: str) -> None:
    text = notation % number
    value = HEAD + b',"speed":' + text.encode() + b"}"
    fast, slow = read_fast(value), read_slow(value)
    assert fast.speed == slow.speed
    assert slow.speed is not None
    assert math.isclose(slow.speed, number, rel_tol=1e-4, abs_tol=1e-30)
