"""Every message has one defined end: an event, or quarantine with a reason from a closed set."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from traffic_platform.events.columns import Decoded, Quarantined
from traffic_platform.events.decode import Decoder
from traffic_platform.events.formats import flat as flat_format
from traffic_platform.events.formats import nested as nested_format
from traffic_platform.events.formats.json_text import MAX_BYTES, MAX_DEPTH
from traffic_platform.events.measures import Measures
from traffic_platform.events.memory import MOST_REMEMBERED
from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.events.texts import LONGEST_DETAIL

RULES = Rules(date(2010, 1, 1), None, "UTC")
FLAT, NESTED = flat_format.FORMAT.number, nested_format.FORMAT.number
TIME = "2025-10-04T12:00:00Z"
TIME_US = 1_759_579_200_000_000
ARRIVAL_US = TIME_US + 60_000_000
HEAD = b'{"sensor_id":"a","timestamp":"2025-10-04T12:00:00Z"'


def decode(*values: bytes | None, rules: Rules = RULES) -> Decoded:
    """The messages, by a decoder that has seen nothing."""
    return Decoder(rules).decode(values, ARRIVAL_US)


def event(**fields: Any) -> bytes:
    """A message; `fields` added to, or in place of, a sensor, a time and a speed."""
    return json.dumps({"sensor_id": "a", "timestamp": TIME, "speed": 55.5} | fields).encode()


def nested(data: Any, **fields: Any) -> bytes:
    """A nested message."""
    return json.dumps({"sensor_id": "a", "timestamp": TIME, "traffic_data": data} | fields).encode()


def refused(value: bytes | None, rules: Rules = RULES) -> Quarantined:
    """Return the quarantine entry of a rejected message."""
    decoded = decode(value, rules=rules)
    assert len(decoded.processed) == 0
    assert decoded.sensors == {}
    [item] = decoded.quarantined
    return item


def test_a_flat_event_becomes_a_row() -> None:
    value = event(speed=55.5, volume=900, occupancy=7.25)
    decoded = decode(value)
    row = decoded.processed
    assert decoded.quarantined == []
    assert row.index.tolist() == [0]
    assert row.timestamp_us.tolist() == [TIME_US]
    assert [column[0] for column in row.measures[:3]] == [55.5, 900.0, 7.25]
    assert (row.quality_flags[0], row.quality_score[0], row.format[0]) == (0, 1.0, FLAT)
    assert row.sensor_id.tobytes() == sensor_uuid("a").bytes
    assert decoded.sensors == {sensor_uuid("a").bytes: "a"}


def test_a_nested_event_becomes_a_row_without_its_optional_occupancy() -> None:
    row = decode(nested({"speed_mph": 48, "volume_vehicles_per_hour": 1200})).processed
    assert (row.measures.speed[0], row.measures.volume[0], row.format[0]) == (48.0, 1200.0, NESTED)
    assert np.isnan(row.measures.occupancy[0])


def test_columns_have_the_types_that_tables_need() -> None:
    for row in (decode().processed, decode(b"", event(), event()).processed):
        assert row.sensor_id.shape == (len(row), 16)
        others = {name: column for name, column in vars(row).items() if name != "measures"}
        columns = others | row.measures._asdict()
        kinds = {name: column.dtype.str for name, column in columns.items()}
        assert kinds == {
            "index": "<i8",
            "sensor_id": "|u1",
            "timestamp_us": "<i8",
            **dict.fromkeys(Measures._fields, "<f8"),
            "quality_score": "<f8",
            "quality_flags": "<i2",
            "format": "<i2",
        }


def test_positions_stay_with_their_messages_when_some_are_quarantined() -> None:
    values = [b"x", event(speed=1), None, event(speed=-1), event(speed=2), event(timestamp="x")]
    decoded = decode(*values)
    assert decoded.processed.index.tolist() == [1, 4]
    assert decoded.processed.measures.speed.tolist() == [1.0, 2.0]
    assert [(item.index, item.reason.value) for item in decoded.quarantined] == [
        (0, "malformed_json"),
        (2, "tombstone"),
        (3, "out_of_range"),
        (5, "invalid_timestamp"),
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "empty"),
        (b"\x00\x00\x00\x00\x07" + event(), "confluent_wire_format"),
        (b"\x00\x00\x00\x00\x07\x02abc", "confluent_wire_format"),
        (b"\x00", "malformed_json"),
        (HEAD + b',"speed":1,"note":"\xff"}', "invalid_utf8"),
        (HEAD + b',"speed":1,"note":"\xed\xa0\x80"}', "invalid_utf8"),
        ('{"sensor_id":"ä"}'.encode("latin-1"), "invalid_utf8"),
        (event().decode().encode("utf-16"), "invalid_utf8"),
        (b"not json", "malformed_json"),
        (b" ", "malformed_json"),
        (b"\xef\xbb\xbf" + event(), "malformed_json"),
        (event()[:-1], "malformed_json"),
        (event() + event(), "malformed_json"),
        (event() + b"\x00", "malformed_json"),
        (HEAD + b",'speed':1}", "malformed_json"),
        (HEAD + b',"speed":01}', "malformed_json"),
        (HEAD + b',"speed":1,}', "malformed_json"),
        (HEAD + b',"speed":NaN}', "malformed_json"),
        (HEAD + b',"speed":Infinity}', "malformed_json"),
        (HEAD + b',"speed":-Infinity}', "malformed_json"),
        (HEAD + b',"speed":1,"note":NaN}', "malformed_json"),
        (HEAD + b',"speed":1,"note":"\n"}', "malformed_json"),
        (HEAD + b',"speed":1,"note":"\\x"}', "malformed_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (HEAD + b',"speed":1,"note":' + b"[" * 100 + b"]" * 100 + b"}", "too_deep"),
        (b"null", "not_an_object"),
        (b"5", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"[" + event() + b"]", "not_an_object"),
        (event(sensor_id=True), "wrong_type"),
        (event(sensor_id=5.0), "wrong_type"),
        (HEAD.replace(b'"a"', b"1e400") + b',"speed":1}', "wrong_type"),
        (event(sensor_id=["a"]), "wrong_type"),
        (event(sensor_id={"id": "a"}), "wrong_type"),
        (event(timestamp=True), "wrong_type"),
        (event(timestamp=[2025, 10, 4]), "wrong_type"),
        (event(speed="55"), "wrong_type"),
        (event(volume=True), "wrong_type"),
        (event(occupancy=[1]), "wrong_type"),
        (event(quality_score="1"), "wrong_type"),
        (nested([]), "wrong_type"),
        (nested("x"), "wrong_type"),
        (nested(True), "wrong_type"),
        (nested({"speed_mph": "55"}), "wrong_type"),
        (nested({"speed_mph": 55}, quality_score=False), "wrong_type"),
        (b'{"timestamp":"2025-10-04T12:00:00Z","speed":1}', "missing_sensor_id"),
        (event(sensor_id=None), "missing_sensor_id"),
        (event(sensor_id=""), "invalid_sensor_id"),
        (event(sensor_id="x" * 256), "invalid_sensor_id"),
        (event(sensor_id="a\0b"), "invalid_sensor_id"),
        (event(sensor_id="\ud800"), "invalid_sensor_id"),
        (HEAD.replace(b'"a"', b"9" * 256) + b',"speed":1}', "invalid_sensor_id"),
        (HEAD.replace(b'"a"', b"9" * 10_000) + b',"speed":1}', "invalid_sensor_id"),
        (b'{"sensor_id":"a","speed":1}', "missing_timestamp"),
        (event(timestamp=None), "missing_timestamp"),
        (event(timestamp="yesterday"), "invalid_timestamp"),
        (event(timestamp="\ud800"), "invalid_timestamp"),
        (event(timestamp="1" * 100_000), "invalid_timestamp"),
        (event(timestamp=10**30), "invalid_timestamp"),
        (HEAD.replace(b'"2025-10-04T12:00:00Z"', b"1e400") + b',"speed":1}', "invalid_timestamp"),
        (HEAD.replace(b'"2025-10-04T12:00:00Z"', b"9" * 9999) + b"}", "invalid_timestamp"),
        (event(timestamp="2025-10-04T12:00:00"), "timestamp_without_zone"),
        (HEAD + b"}", "no_measures"),
        (event(speed=None), "no_measures"),
        (event(speed=None, quality_score=1), "no_measures"),
        (nested({}), "no_measures"),
        (nested({"speed_mph": None}, speed=55), "no_measures"),
        (event(timestamp="2025-10-04T12:06:00.000001Z"), "timestamp_in_future"),
        (event(timestamp="9999-12-30T23:59:59Z"), "timestamp_in_future"),
        (event(timestamp="2009-12-31T23:59:59.999999Z"), "timestamp_too_early"),
        (event(timestamp="0001-01-02T00:00:00Z"), "timestamp_too_early"),
        (event(timestamp=0), "timestamp_too_early"),
        (event(speed=-0.1), "out_of_range"),
        (event(speed=300.1), "out_of_range"),
        (event(volume=-1), "out_of_range"),
        (event(volume=-0.3), "out_of_range"),
        (event(volume=100_000.4), "out_of_range"),
        (event(volume=2**31), "out_of_range"),
        (event(volume=2**200), "out_of_range"),
        (event(occupancy=100.01), "out_of_range"),
        (event(occupancy=-1), "out_of_range"),
        (event(quality_score=1.01), "out_of_range"),
        (event(quality_score=-0.01), "out_of_range"),
        (nested({"occupancy_percent": 101}), "out_of_range"),
        (HEAD + b',"speed":1e400}', "out_of_range"),
        (HEAD + b',"speed":-1e400}', "out_of_range"),
        (HEAD + b',"volume":' + b"9" * 10_000 + b"}", "out_of_range"),
        (HEAD + b',"speed":1,"quality_score":1e999}', "out_of_range"),
    ],
)
def test_every_kind_of_bad_message_has_its_reason(value: bytes | None, reason: str) -> None:
    item = refused(value)
    assert item.reason.value == reason
    assert 0 < len(item.detail) <= LONGEST_DETAIL
    assert item.detail.isprintable()
    item.detail.encode()


def test_every_reason_can_be_reached() -> None:
    [mark] = [
        mark
        for mark in test_every_kind_of_bad_message_has_its_reason.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
        if mark.name == "parametrize"
    ]
    reached = {reason for _, reason in mark.args[1]}
    of_settings = {
        Reason.AMBIGUOUS_LOCAL_TIME,
        Reason.NONEXISTENT_LOCAL_TIME,
        Reason.UNKNOWN_SENSOR,
    }
    assert reached == set(Reason) - of_settings - {Reason.TOO_LARGE}


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (event(speed="55\0"), r"speed is the text '55\x00', not a number"),
        (event(sensor_id=5.5), "sensor_id is the number 5.5, not text or an integer"),
        (nested([1]), "traffic_data is an array, not an object"),
        (nested({"speed_mph": True}), "traffic_data.speed_mph is true, not a number"),
        (event(sensor_id=None), "sensor_id is null"),
        (b'{"sensor_id":"a","speed":1}', "timestamp is absent"),
        (event(speed=-1), "speed is -1.0, and 0 to 300 is possible"),
        (
            nested({"volume_vehicles_per_hour": 100_001}),
            "traffic_data.volume_vehicles_per_hour is 100001.0, and 0 to 100000 is possible",
        ),
        (event(sensor_id="\ud800"), r"sensor_id '\ud800' holds a lone surrogate"),
        (HEAD + b',"speed":NaN}', "NaN is no JSON"),
        (b"5", "the message is the number 5, not an object"),
        (HEAD + b',"speed":1,"note":"\xff"}', "byte 0xff at position 70 is no UTF-8"),
    ],
)
def test_detail_names_field_and_value(value: bytes, detail: str) -> None:
    assert refused(value).detail.startswith(detail)


def test_a_message_of_a_mebibyte_is_decoded_and_a_larger_one_is_not() -> None:
    largest = event(note="x" * (MAX_BYTES - len(event(note=""))))
    assert len(largest) == MAX_BYTES
    assert len(decode(largest).processed) == 1
    assert refused(largest + b" ").reason == Reason.TOO_LARGE


def test_nesting_is_limited_by_its_depth_and_not_by_the_number_of_brackets() -> None:
    def deep(levels: int) -> bytes:
        return HEAD + b',"speed":1,"note":' + b"[" * levels + b"]" * levels + b"}"

    wide = HEAD + b',"speed":1,"note":[' + b",".join([b"[]"] * 1000) + b"]}"
    quoted = HEAD + b',"speed":1,"note":"\\"' + b"[" * 1000 + b'"}'
    assert len(decode(deep(MAX_DEPTH - 1), wide, quoted).processed) == 3
    assert refused(deep(MAX_DEPTH)).reason == Reason.TOO_DEEP


def test_depth_has_the_same_limit_however_much_stack_is_left() -> None:
    value = HEAD + b',"speed":1,"note":' + b"[" * 99 + b"]" * 99 + b"}"

    def call(frames: int) -> int:
        return call(frames - 1) if frames else len(decode(value).processed)

    assert [call(frames) for frames in (0, 400)] == [1, 1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (event(speed="x", sensor_id=None), "wrong_type"),
        (event(sensor_id="", timestamp="x"), "invalid_sensor_id"),
        (event(sensor_id="\ud800", timestamp="x"), "invalid_sensor_id"),
        (event(sensor_id=None, timestamp=None), "missing_sensor_id"),
        (event(timestamp="x", speed=None), "invalid_timestamp"),
        (event(timestamp="1999-01-01T00:00:00Z", speed=None), "no_measures"),
        (event(timestamp="1999-01-01T00:00:00Z", speed=-1), "timestamp_too_early"),
        (event(timestamp="2099-01-01T00:00:00Z", speed=-1), "timestamp_in_future"),
    ],
)
def test_of_several_reasons_the_first_in_the_order_of_the_list_is_given(
    value: bytes, reason: str
) -> None:
    assert refused(value).reason.value == reason


@pytest.mark.parametrize(
    "value",
    [
        event(speed="x"),
        event(sensor_id=None),
        event(sensor_id=""),
        event(sensor_id="\ud800"),
        event(speed=None),
        event(speed=-1),
    ],
)
def test_quarantine_keeps_the_event_time_where_it_can_be_read(value: bytes) -> None:
    assert refused(value).timestamp_us == TIME_US


@pytest.mark.parametrize("time", [None, True, "x", "2025-10-04T12:00:00", 10**30, [1]])
def test_quarantine_has_no_event_time_where_there_is_none(time: object) -> None:
    assert refused(event(timestamp=time)).timestamp_us is None
    assert refused(event(timestamp=time, sensor_id="")).timestamp_us is None
    assert refused(event(timestamp=time, sensor_id=None)).timestamp_us is None


@pytest.mark.parametrize(
    ("fields", "speed"),
    [
        (b',"speed":1,"speed":2', 2.0),
        (b',"speed":"x","speed":2', 2.0),
        (b',"speed":2,"traffic_data":{"speed_mph":9},"traffic_data":null', 2.0),
        (b',"traffic_data":{"speed_mph":9},"traffic_data":{"speed_mph":2}', 2.0),
        (b',"traffic_data":{"speed_mph":9,"speed_mph":2}', 2.0),
        (b',"sp\\u0065ed":2', 2.0),
    ],
)
def test_of_a_field_that_is_there_twice_the_last_counts(fields: bytes, speed: float) -> None:
    assert decode(HEAD + fields + b"}").processed.measures.speed.tolist() == [speed]


def test_the_last_of_two_fields_counts_also_when_it_is_the_wrong_one() -> None:
    assert refused(HEAD + b',"speed":2,"speed":"x"}').reason == Reason.WRONG_TYPE
    assert refused(HEAD + b',"speed":2,"speed":null}').reason == Reason.NO_MEASURES


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    notes = (None, [1, {"speed": 2}], {"\0": "\ud800"}, "\ud800", 10**400)
    decoded = decode(*(event(note=note) for note in notes), HEAD + b',"speed":1,"x":1e999}')
    assert decoded.quarantined == []
    assert len(decoded.processed) == len(notes) + 1


def test_a_nested_event_ignores_flat_measures() -> None:
    data = {"speed_mph": 10}
    decoded = decode(nested(data, speed=99, volume=5), nested(data, speed="x", volume=True))
    assert decoded.processed.measures.speed.tolist() == [10.0, 10.0]
    assert np.isnan(decoded.processed.measures.volume).all()
    assert decoded.processed.format.tolist() == [NESTED, NESTED]


def test_an_event_without_traffic_data_but_null_is_flat() -> None:
    assert decode(event(traffic_data=None)).processed.format.tolist() == [FLAT]


def test_the_edges_of_every_domain_are_inside() -> None:
    low = event(speed=0, volume=0, occupancy=0, quality_score=0)
    high = event(speed=300, volume=100_000, occupancy=100, quality_score=1)
    assert len(decode(low, high).processed) == 2


def test_volume_is_rounded_half_to_even_before_it_is_tested() -> None:
    volumes = [0.5, 1.5, 2.5, 3060.4, 3060.5, 3061.5, 0.4]
    row = decode(*(event(volume=volume) for volume in volumes)).processed
    assert row.measures.volume.tolist() == [0, 2, 2, 3060, 3060, 3062, 0]
    assert (row.quality_flags & 1).tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert (row.quality_flags & 32).tolist() == [32, 0, 0, 0, 0, 0, 32]


def test_negative_zeros_become_zeros() -> None:
    row = decode(HEAD + b',"speed":-0.0,"volume":-0.0,"occupancy":-0.0,"quality_score":-0.0}')
    for column in (*row.processed.measures, row.processed.quality_score):
        assert np.signbit(column).tolist() == [False]


def test_a_reported_score_lowers_the_own_in_both_formats_and_never_raises_it() -> None:
    slow = {"speed": 3, "volume": 900, "occupancy": 20}
    values = [
        event(**slow),
        event(**slow, quality_score=1),
        event(**slow, quality_score=0.3),
        nested({"speed_mph": 50}, quality_score=0.25),
    ]
    own, *others = decode(*values).processed.quality_score.tolist()
    assert 0.3 < own < 1
    assert others == [own, 0.3, 0.25]


def test_the_future_begins_five_minutes_after_the_arrival() -> None:
    last = event(timestamp="2025-10-04T12:06:00Z")
    assert len(decode(last).processed) == 1
    assert Decoder(RULES).decode([last], ARRIVAL_US - 1).quarantined[0].reason == (
        Reason.TIMESTAMP_IN_FUTURE
    )


def test_an_event_at_either_end_of_the_times_is_rejected_for_its_measure_alone() -> None:
    latest = (ARRIVAL_US + 300_000_000) / 1_000_000
    assert refused(event(timestamp=latest, speed=301)).reason == Reason.OUT_OF_RANGE
    assert refused(event(timestamp="2010-01-01T00:00:00Z", speed=301)).reason == Reason.OUT_OF_RANGE


def test_the_detail_of_the_future_names_the_arrival() -> None:
    detail = refused(event(timestamp="2026-01-01T00:00:00Z")).detail
    assert detail.endswith("is over 5 minutes after the arrival at 2025-10-04T12:01:00Z")


def test_the_detail_of_no_measures_names_each_measure() -> None:
    detail = refused(event(speed=None)).detail
    assert detail == "speed, volume and occupancy are all null or absent"


@pytest.mark.parametrize("speed", [0, 0.5, 300])
def test_the_detail_names_no_measure_at_the_end_of_its_range(speed: float) -> None:
    value = event(speed=speed, volume=100_001, occupancy=100)
    assert refused(value).detail == "volume is 100001.0, and 0 to 100000 is possible"


def test_the_first_date_begins_at_midnight_of_the_platforms_zone() -> None:
    rules = Rules(date(2025, 1, 1), None, "America/Los_Angeles")
    first, before = "2025-01-01T08:00:00Z", "2025-01-01T07:59:59.999999Z"
    assert len(decode(event(timestamp=first), rules=rules).processed) == 1
    assert refused(event(timestamp=before), rules).reason == Reason.TIMESTAMP_TOO_EARLY


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak", "UTC"])
def test_any_first_date_can_be_set(zone: str) -> None:
    for first in (date.min, date.max):
        decoded = decode(event(), rules=Rules(first, None, zone))
        assert len(decoded.processed) == (first == date.min)


def test_integers_are_sensor_ids_in_decimal_text() -> None:
    huge = 10**200
    decoded = decode(*(event(sensor_id=sensor) for sensor in (1345, "1345", -7, huge)))
    ids = [bytes(row) for row in decoded.processed.sensor_id]
    assert ids == [sensor_uuid(text).bytes for text in ("1345", "1345", "-7", str(huge))]
    assert set(decoded.sensors.values()) == {"1345", "-7", str(huge)}


def test_sensor_ids_of_255_characters_of_any_script_are_taken() -> None:
    names = ["é" * 255, "🚗" * 255, "\ufffd", " ", "a\nb"]
    decoded = decode(*(event(sensor_id=name) for name in names))
    assert set(decoded.sensors.values()) == set(names)


def test_a_sensor_is_named_by_its_own_name_and_a_uuid_in_lower_case() -> None:
    own = uuid.UUID("0F8FAD5B-D9CB-469F-A165-70867728950E")
    mapped = sensor_uuid("a")
    names = ["a", str(mapped), str(mapped).upper(), str(own).upper()]
    for order in (names, names[::-1]):
        decoded = decode(*(event(sensor_id=name) for name in order))
        assert decoded.sensors == {mapped.bytes: "a", own.bytes: str(own)}


def test_sensors_of_quarantined_events_are_not_named() -> None:
    decoded = decode(event(sensor_id="good"), event(sensor_id="bad", speed=-1))
    assert list(decoded.sensors.values()) == ["good"]


def test_local_times_are_read_in_the_zone_of_the_setting() -> None:
    rules = Rules(date(2010, 1, 1), "America/Los_Angeles", "UTC")
    values = [event(timestamp=text) for text in ("2011-09-15 00:00:20", "2011-09-15T00:00:20Z")]
    moments = [datetime(2011, 9, 15, hour, 0, 20, tzinfo=UTC).timestamp() for hour in (7, 0)]
    assert (decode(*values, rules=rules).processed.timestamp_us / 1e6).tolist() == moments
    twice, never = (
        event(timestamp=text) for text in ("2011-11-06T01:30:00", "2011-03-13T02:30:00")
    )
    assert refused(twice, rules).reason == Reason.AMBIGUOUS_LOCAL_TIME
    assert refused(never, rules).reason == Reason.NONEXISTENT_LOCAL_TIME


def test_a_decoder_remembers_only_so_much_and_stays_right() -> None:
    decoder = Decoder(RULES)
    for batch in range(5):
        numbers = range(batch * 20_000, (batch + 1) * 20_000)
        values = [
            b'{"sensor_id":%d,"timestamp":%d,"speed":1}' % (number, 1_300_000_000 + number)
            for number in numbers
        ]
        decoded = decoder.decode(values, ARRIVAL_US)
        times = [(1_300_000_000 + number) * 1_000_000 for number in numbers]
        assert decoded.processed.timestamp_us.tolist() == times
        assert len(decoded.sensors) == 20_000
        assert bytes(decoded.processed.sensor_id[7]) == sensor_uuid(str(numbers[7])).bytes
        assert (
            max(len(memory.known) for memory in (decoder._sensors, decoder._times))
            <= MOST_REMEMBERED
        )
