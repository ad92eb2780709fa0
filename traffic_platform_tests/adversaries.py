"""Messages that mean harm, from a seed, each with the end that it must have.

The end follows from how a message is made, not from how it is read: nothing here asks the decoder.
Only where bytes were put in at random it is read once, by the standard library, for its structure;
a value that is an object after that may end in any way, but not in quarantine for its structure.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

EVENT = "event"
"""The end of a message that is one after all."""

UNKNOWN = "unknown_sensor"
"""The end of such a message where only registered sensors may report."""

STRUCTURAL = frozenset({"invalid_utf8", "malformed_json", "not_an_object"})
LOCAL_TIMES = frozenset({"ambiguous_local_time", "nonexistent_local_time"})
"""Ends that only a naive zone makes possible."""

NAIVE_ZONE = "America/Los_Angeles"
MEBIBYTE = 1 << 20

Chance = random.Random
_TIME = "2025-10-04T12:00:00Z"


@dataclass(frozen=True)
class Message:
    """`ends` is `{reason}`, or `{EVENT}` with the speed that it measures; several: any of them."""

    value: bytes | None
    ends: frozenset[str]
    speed: float | None = None


Make = Callable[[Chance], Message]


def messages(
    seed: int, *, naive_zone: bool = False, large_every: int | None = 500
) -> Iterator[Message]:
    """Messages without end, the same for the same seed; every kind comes again and again.

    `naive_zone`: times without a zone mean NAIVE_ZONE, so that they end otherwise.
    `large_every`: one in so many has about a mebibyte; None: none has.
    """
    chance = Chance(seed)
    zoned = (_ambiguous, _nonexistent, _local) if naive_zone else (_without_zone,)
    kinds: list[Make] = [*_KINDS, *zoned]
    number = 0
    while True:
        chance.shuffle(kinds)
        for kind in kinds:
            number += 1
            if large_every is not None and number % large_every == 0:
                yield chance.choice((_too_large, _just_small_enough))(chance)
            yield kind(chance)


def _refused(value: bytes | None, reason: str) -> Message:
    return Message(value, frozenset({reason}))


def _event(value: bytes, speed: float) -> Message:
    return Message(value, frozenset({EVENT}), speed)


def _fields(chance: Chance, **fields: Any) -> dict[str, Any]:
    sensor = f"adversary-{chance.randrange(50)}"
    return {"sensor_id": sensor, "timestamp": _time(chance), "speed": _speed(chance)} | fields


def _time(chance: Chance) -> str:
    return f"2025-10-{chance.randint(1, 20):02}T{chance.randint(0, 23):02}:{_sixty(chance)}:00Z"


def _sixty(chance: Chance) -> str:
    return f"{chance.randrange(60):02}"


def _speed(chance: Chance) -> float:
    return chance.randrange(3000) / 10


def _dump(fields: dict[str, Any] | list[Any]) -> bytes:
    return json.dumps(fields).encode()


def _raw(chance: Chance, **fields: str) -> bytes:
    """An event whose fields are written as they are given, in place of its own or after them."""
    own = {name: json.dumps(value) for name, value in _fields(chance).items()}
    return ("{" + ",".join(f'"{k}":{v}' for k, v in (own | fields).items()) + "}").encode()


def _text(chance: Chance, least: int, most: int, alphabet: str = "abcdefg -_.:/") -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(least, most)))


# The bytes


def _tombstone(_: Chance) -> Message:
    return _refused(None, "tombstone")


def _empty(_: Chance) -> Message:
    return _refused(b"", "empty")


def _confluent(chance: Chance) -> Message:
    schema = chance.randrange(2**32).to_bytes(4, "big")
    body = chance.choice((_dump(_fields(chance)), b"\x02" + chance.randbytes(20), b""))
    return _refused(b"\0" + schema + body, "confluent_wire_format")


def _too_large(chance: Chance) -> Message:
    size = MEBIBYTE + chance.randint(1, 1000)
    inside = _dump(_fields(chance, note="x"))
    value = chance.choice(
        (
            inside[:-2] + b"x" * (size - len(inside)) + b'"}',
            inside + b" " * (size - len(inside)),
            b"[" * size,
            b"\xff" * size,
            b"\0" * size,
        )
    )
    return _refused(value, "too_large")


def _just_small_enough(chance: Chance) -> Message:
    speed = _speed(chance)
    inside = _dump(_fields(chance, speed=speed, note=""))
    filler = chance.choice((b"x", b"[", b"9"))
    return _event(inside[:-2] + filler * (MEBIBYTE - len(inside)) + b'"}', speed)


def _no_utf8(chance: Chance) -> Message:
    value = _dump(_fields(chance, note=_text(chance, 0, 30)))
    bad = chance.choice(
        (b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf")
    )
    at = chance.randint(0, len(value))
    return _refused(value[:at] + bad + value[at:], "invalid_utf8")


def _other_charset(chance: Chance) -> Message:
    value = json.dumps(_fields(chance, sensor_id="Straße"), ensure_ascii=False)
    return _refused(value.encode(chance.choice(("latin-1", "utf-16"))), "invalid_utf8")


# The structure


def _too_deep(chance: Chance) -> Message:
    levels = chance.choice((101, 102, 150, 1000, chance.randint(101, 5000)))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    closing = chance.choice(("", "1" + closing * levels))
    inside = opening * levels + closing
    if chance.random() < 0.5:
        return _refused(inside.encode(), "too_deep")
    field = chance.choice(("note", "traffic_data", "sensor_id", "speed"))
    return _refused(_raw(chance, **{field: inside}), "too_deep")


def _deep_enough(chance: Chance) -> Message:
    speed = _speed(chance)
    levels = chance.randint(50, 99)
    quoted = json.dumps("[{" * chance.randint(1, 300))
    note = chance.choice(("[" * levels + "]" * levels, quoted, "[" + "[]," * 300 + "[]]"))
    return _event(_raw(chance, speed=str(speed), note=note), speed)


def _cut(chance: Chance) -> Message:
    value = _dump(_fields(chance))
    return _refused(value[: chance.randint(1, len(value) - 1)], "malformed_json")


def _one_mark_less(chance: Chance) -> Message:
    """Without one of its quotes or colons, or of the commas between its fields."""
    value = _raw(chance, timestamp="1759579200")
    marks = [at for at, byte in enumerate(value) if byte in b'":,']
    at = chance.choice(marks)
    return _refused(value[:at] + value[at + 1 :], "malformed_json")


def _no_number(chance: Chance) -> Message:
    field = chance.choice(("speed", "volume", "occupancy", "note", "sensor_id", "timestamp"))
    number = chance.choice(
        (
            "NaN",
            "Infinity",
            "-Infinity",
            "01",
            "+1",
            ".5",
            "5.",
            "1e",
            "0x10",
            "1_000",
            "-",
            "-NaN",
            "nan",
            "1,5",
            "--1",
            "undefined",
            "None",
        )
    )
    return _refused(_raw(chance, **{field: number}), "malformed_json")


def _no_text(chance: Chance) -> Message:
    flaw = chance.choice(("\n", "\t", "\0", "\x1f", "\\x41", "\\u12", "\\uZZZZ", "\\", "\\'"))
    return _refused(_raw(chance, note=f'"a{flaw}b{flaw}"'), "malformed_json")


def _around(chance: Chance) -> Message:
    value = _dump(_fields(chance))
    before, after = chance.choice(
        (
            (b"\xef\xbb\xbf", b""),
            (b"", value),
            (b"", b"\n" + value),
            (b"", b"\0"),
            (b"", b","),
            (b"// a comment\n", b""),
            (b"", b"/* a comment */"),
            (b"callback(", b")"),
            (b"'", b"'"),
            (b"}", b""),
        )
    )
    return _refused(before + value + after, "malformed_json")


def _another_language(chance: Chance) -> Message:
    value = chance.choice(
        (
            repr(_fields(chance)),
            "<event><speed>55</speed></event>",
            "sensor_id=a;speed=55",
            "sensor_id: a\nspeed: 55",
            "a,2025-10-04T12:00:00Z,55,900,7.5",
            "GET / HTTP/1.1\r\n\r\n",
            " ",
            "\n\t",
            "\0",
            "\0\0\0\0",
            "True",
            "'a'",
            _text(chance, 1, 200, "ghijkl"),
        )
    )
    return _refused(value.encode(), "malformed_json")


def _no_object(chance: Chance) -> Message:
    event = _fields(chance)
    value = chance.choice(
        (None, True, False, 0, -1.5, 10**400, "", "text", json.dumps(event), [], [event], [[]])
    )
    return _refused(b" " * chance.randint(0, 2) + _dump(value), "not_an_object")


def _fuzz(chance: Chance) -> Message:
    value = bytearray(_dump(_fields(chance, volume=chance.randrange(3000))))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(value))
        match chance.randrange(3):
            case 0:
                value[at] = chance.randrange(1, 256)  # a NUL in front is another format
            case 1:
                del value[at : at + chance.randint(1, 4)]
            case _:
                value[at:at] = bytes(chance.choices(b'{}[]",:0-9.eEtfn\\', k=chance.randint(1, 3)))
    return Message(bytes(value), _structural_ends(bytes(value)))


def _structural_ends(value: bytes) -> frozenset[str]:
    def refuse(text: str) -> None:
        raise ValueError(text)

    try:
        document = json.loads(value.decode(), parse_constant=refuse)
    except UnicodeDecodeError:
        return frozenset({"invalid_utf8"})
    except ValueError:
        return frozenset({"malformed_json"})
    if not isinstance(document, dict):
        return frozenset({"not_an_object"})
    return ANY_END - STRUCTURAL


# The fields


def _wrong_type(chance: Chance) -> Message:
    some = ([], [1], {}, {"a": 1}, True, False)
    text = chance.choice(("55", "NaN", "", "1e3", "٣", "55 mph"))
    field, wrong = chance.choice(
        (
            ("sensor_id", chance.choice((*some, 5.0, 1e300, -0.5))),
            ("timestamp", chance.choice(some)),
            ("speed", chance.choice((*some, text))),
            ("volume", chance.choice((*some, text))),
            ("occupancy", chance.choice((*some, text))),
            ("quality_score", chance.choice((*some, text))),
            ("traffic_data", chance.choice(([], [1], True, False, text, 5, 1e300))),
            ("traffic_data", {"speed_mph": chance.choice((*some, text))}),
            ("traffic_data", {"volume_vehicles_per_hour": chance.choice((*some, text))}),
        )
    )
    later = chance.choice(({}, {"timestamp": "never"} if field != "timestamp" else {}))
    return _refused(_dump(_fields(chance, **later, **{field: wrong})), "wrong_type")


def _missing(field: str) -> Make:
    def make(chance: Chance) -> Message:
        fields = _fields(chance, speed=chance.choice((5, None, -5, 1e300)))
        if chance.random() < 0.5:
            fields[field] = None
        else:
            del fields[field]
        return _refused(_dump(fields), f"missing_{field}")

    return make


def _bad_sensor(chance: Chance) -> Message:
    sensor = chance.choice(
        (
            "",
            "x" * chance.randint(256, 5000),
            "é" * 256,
            "a\0b",
            "\0",
            "\ud800",
            "ok \udfff",
            "\udc00\ud800",
        )
    )
    later = chance.choice(({}, {"timestamp": None}, {"timestamp": "x"}, {"speed": None}))
    digits = chance.choice(("9", "-1", "1" * 50)) * chance.randint(256, 2000)
    if chance.random() < 0.3:
        return _refused(_raw(chance, sensor_id=digits.replace("1-", "1")), "invalid_sensor_id")
    return _refused(_dump(_fields(chance, **later, sensor_id=sensor)), "invalid_sensor_id")


def _bad_time(chance: Chance) -> Message:
    texts = (
        "",
        "yesterday",
        "2025-10-04",
        "2025-02-30T12:00:00Z",
        "2025-13-01T12:00:00Z",
        "2025-10-04T24:00:01Z",
        "2025-10-04T12:00:60Z",
        "2025-10-04T12:60:00Z",
        "2025-10-04T12:00:00+25:00",
        "2025-10-04T12:00:00 PST",
        "04/10/2025 12:00",
        "٢٠٢٥-10-04T12:00:00Z",
        "2025-10-04T12:00:00Z\0",
        "\ud800",
        " 2025-10-04T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "1" * chance.randint(65, 3000),
        "1759579200",
    )
    numbers = ("1e400", "-1e400", "1e300", "9" * 400, str(10**18), str(-(10**17)), "9" * 5000)
    if chance.random() < 0.3:
        return _refused(_raw(chance, timestamp=chance.choice(numbers)), "invalid_timestamp")
    fields = _fields(chance, timestamp=chance.choice(texts))
    return _refused(_dump(fields), "invalid_timestamp")


def _without_zone(chance: Chance) -> Message:
    text = _time(chance).removesuffix("Z").replace("T", chance.choice("T "))
    return _refused(_dump(_fields(chance, timestamp=text)), "timestamp_without_zone")


def _ambiguous(chance: Chance) -> Message:
    text = f"2024-11-03T01:{_sixty(chance)}:{_sixty(chance)}"
    return _refused(_dump(_fields(chance, timestamp=text)), "ambiguous_local_time")


def _nonexistent(chance: Chance) -> Message:
    text = f"2024-03-10 02:{_sixty(chance)}:{_sixty(chance)}"
    return _refused(_dump(_fields(chance, timestamp=text)), "nonexistent_local_time")


def _local(chance: Chance) -> Message:
    speed = _speed(chance)
    text = _time(chance).removesuffix("Z")
    return _event(_dump(_fields(chance, timestamp=text, speed=speed)), speed)


def _no_measures(chance: Chance) -> Message:
    fields = _fields(chance, timestamp=chance.choice((_TIME, "1999-01-01T00:00:00Z", 0)))
    del fields["speed"]
    nested = {"speed_mph": None, "volume": 5, "note": {}}
    more = chance.choice(
        (
            {},
            {"speed": None, "volume": None},
            {"traffic_data": {}},
            {"traffic_data": nested, "speed": 55},
            {"Speed": 55},
            {"quality_score": -7},
        )
    )
    return _refused(_dump(fields | more), "no_measures")


def _future(chance: Chance) -> Message:
    texts = ("2099-01-01T00:00:00Z", "9999-12-30T23:59:59Z", 4_102_444_800, 4_102_444_800_000, 9e9)
    fields = _fields(chance, timestamp=chance.choice(texts), speed=chance.choice((5, -5)))
    return _refused(_dump(fields), "timestamp_in_future")


def _early(chance: Chance) -> Message:
    times = ("0001-01-02T00:00:00Z", "2009-12-31T23:59:59Z", 0, -1, 1.5, 10**8, -(10**11))
    fields = _fields(chance, timestamp=chance.choice(times), speed=chance.choice((5, -5)))
    return _refused(_dump(fields), "timestamp_too_early")


def _outside(chance: Chance) -> Message:
    field, limit = chance.choice(
        (("speed", 300), ("volume", 100_000), ("occupancy", 100), ("quality_score", 1))
    )
    number = chance.choice(
        (
            "-1",
            "-0.0001",
            "-1e-300",
            f"{limit}.001",
            str(2**31),
            str(-(2**31)),
            str(2**63),
            str(2**64),
            "1e308",
            "1e400",
            "-1e400",
            "9" * chance.randint(300, 5000),
        )
    )
    nested = {"speed": "speed_mph", "volume": "volume_vehicles_per_hour"}.get(field)
    if nested and chance.random() < 0.5:
        return _refused(_raw(chance, traffic_data=f'{{"{nested}":{number}}}'), "out_of_range")
    return _refused(_raw(chance, **{field: number}), "out_of_range")


# Events after all


def _twice(chance: Chance) -> Message:
    speed = _speed(chance)
    first = chance.choice(('"x"', "null", "-5", "[1]", str(_speed(chance))))
    value = _raw(chance, note='"x"').replace(
        b'"speed":', f'"speed":{first},"sp\\u0065ed":'.encode()
    )
    return _event(value.replace(b'"note":"x"', f'"speed":{speed}'.encode()), speed)


def _odd_notes(chance: Chance) -> Message:
    speed = _speed(chance)
    note = chance.choice(
        (
            r'"\u0000"',
            r'"\ud800"',
            r'{"\u0000":"\ud800\ud800"}',
            "1e999999",
            "9" * 5000,
            "[[[[]]]]",
            '"' + "🚗" * 50 + '"',
            '"\x7f\u2028\ufeff"',
            '{"speed":-5,"sensor_id":null}',
        )
    )
    return _event(_raw(chance, speed=str(speed), note=note), speed)


def _odd_sensor(chance: Chance) -> Message:
    speed = _speed(chance)
    sensor = chance.choice(
        (
            " ",
            "é" * 255,
            "🚗" * 255,
            "\ufffd",
            "a\nb\t",
            "'; drop table traffic.sensors; --",
            "NULL",
            "\\N",
            7,
            -7,
            2**64,
            10**200,
            "0F8FAD5B-D9CB-469F-A165-70867728950E",
            "0f8fad5bd9cb469fa16570867728950e",
        )
    )
    return _event(_dump(_fields(chance, sensor_id=sensor, speed=speed)), speed)


def _odd_time(chance: Chance) -> Message:
    speed = _speed(chance)
    time = chance.choice(
        (
            1_759_579_200,
            1_759_579_200_000,
            1_759_579_200.25,
            1.7595792e9,
            "20251004T120000Z",
            "2025-10-04t12:00z",
            "2025-10-04 12:00:00,123456789+0530",
            "2025-10-04T12:00:00-23:59",
            "2010-01-01T00:00:00Z",
        )
    )
    return _event(_dump(_fields(chance, timestamp=time, speed=speed)), speed)


def _odd_form(chance: Chance) -> Message:
    speed = _speed(chance)
    nested = {"speed_mph": speed, "volume_vehicles_per_hour": 0}
    fields = _fields(chance, speed="x", volume=True, traffic_data=nested)
    value = json.dumps(fields, indent=chance.choice((None, 4)), separators=("\r\n,", "\t: "))
    return _event(b" \r\n\t" + value.encode() + b"\n ", speed)


_KINDS: tuple[Make, ...] = (
    _tombstone,
    _empty,
    _confluent,
    _no_utf8,
    _other_charset,
    _too_deep,
    _deep_enough,
    _cut,
    _one_mark_less,
    _no_number,
    _no_text,
    _around,
    _another_language,
    _no_object,
    _fuzz,
    _fuzz,
    _wrong_type,
    _wrong_type,
    _missing("sensor_id"),
    _bad_sensor,
    _missing("timestamp"),
    _bad_time,
    _bad_time,
    _no_measures,
    _future,
    _early,
    _outside,
    _outside,
    _twice,
    _odd_notes,
    _odd_sensor,
    _odd_time,
    _odd_form,
)

ANY_END = frozenset(
    {
        EVENT,
        "tombstone",
        "empty",
        "too_large",
        "confluent_wire_format",
        "invalid_utf8",
        "too_deep",
        "malformed_json",
        "not_an_object",
        "wrong_type",
        "missing_sensor_id",
        "invalid_sensor_id",
        "missing_timestamp",
        "invalid_timestamp",
        "timestamp_without_zone",
        "ambiguous_local_time",
        "nonexistent_local_time",
        "no_measures",
        "timestamp_in_future",
        "timestamp_too_early",
        "out_of_range",
        UNKNOWN,
    }
)
"""The ends that a message can have, as the documents list them."""
