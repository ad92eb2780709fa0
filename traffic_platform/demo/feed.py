"""Synthetic measures as messages: what the detectors' controllers put on the wire.

Some messages can be repeats of an earlier one, exact or corrected, and some can be broken in ways
that real feeds are broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from traffic_platform.demo.detectors import Corridor
from traffic_platform.demo.highway import Floats
from traffic_platform.events.texts import show_time

FeedFormat = Literal["flat", "nested", "mixed"]

_BATCH_EVENTS = 10_000
_FLAT = b'{"sensor_id":"%b","timestamp":"%b","speed":%b,"volume":%b,"occupancy":%b}'
_NESTED = (
    b'{"sensor_id":"%b","timestamp":"%b","traffic_data":{"speed_mph":%b,'
    b'"volume_vehicles_per_hour":%b,"occupancy_percent":%b}}'
)
_TEMPLATES = (_FLAT, _NESTED)  # by Kind


class Kind(IntEnum):
    """What a message is."""

    FLAT = 0
    NESTED = 1
    REPEAT = 2
    BROKEN = 3


@dataclass(frozen=True)
class MessageBatch:
    """Messages in the order in which they are to be sent; all of the same length.

    `times_us` holds the start of the interval of each (microseconds since 1970).
    """

    keys: list[bytes]
    values: Sequence[bytes | None]
    kinds: NDArray[np.int64]
    times_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, first: int, end: int) -> MessageBatch:
        """The messages from number `first` to before number `end`."""
        cut = slice(first, end)
        return MessageBatch(self.keys[cut], self.values[cut], self.kinds[cut], self.times_us[cut])

    def head(self, count: int) -> MessageBatch:
        """The first `count` messages."""
        return self.part(0, count)


def message_batches(
    corridor: Corridor,
    first_step: int,
    *,
    steps: int | None = None,
    feed_format: FeedFormat = "mixed",
    repeat_share: float = 0.0,
    broken_share: float = 0.0,
) -> Iterator[MessageBatch]:
    """Yield the messages of `steps` intervals (None: without end), oldest first.

    `repeat_share` and `broken_share` are parts of all messages. A message has the same key as the
    others of its sensor, so a repeat comes after its original for every consumer.
    """
    generator = np.random.default_rng(first_step)
    at_a_time = max(1, _BATCH_EVENTS // len(corridor.detectors))
    step = first_step
    while steps is None or step < first_step + steps:
        take = at_a_time if steps is None else min(at_a_time, first_step + steps - step)
        batch = _regular(corridor, step, take, feed_format)
        if repeat_share or broken_share:
            batch = _disturbed(batch, repeat_share, broken_share, generator)
        yield batch
        step += take


def encode(
    kinds: Sequence[int],
    sensors: Sequence[bytes],
    times: Sequence[bytes],
    *,
    speed: Floats,
    volume: Floats,
    occupancy: Floats,
) -> list[bytes]:
    """Events in the flat (kind 0) or nested (kind 1) format, one for each entry; NaN is null.

    `sensors` are JSON strings without their quotes, `times` ISO 8601.
    """
    rows = zip(sensors, times, _numbers(speed), _numbers(volume), _numbers(occupancy), strict=True)
    return [_TEMPLATES[kind] % row for kind, row in zip(kinds, rows, strict=True)]


def _numbers(values: Floats) -> list[bytes]:
    """JSON numbers; whole ones without a decimal point."""
    # Few values are different ones, and a number costs more to print than to look up.
    different, places = np.unique(values, return_inverse=True)
    texts = [
        b"null" if math.isnan(value) else b"%d" % value if value.is_integer() else b"%a" % value
        for value in different.tolist()
    ]
    return [texts[place] for place in places.tolist()]


def broken(kind: int, sensor: str, time: str) -> bytes | None:
    """A message that no setting makes readable; `kind` chooses the way, any integer will do."""
    head = f'{{"sensor_id":"{sensor}","timestamp":"{time}"'
    ways: tuple[bytes | None, ...] = (
        f'{head},"speed":61.2,"vol'.encode(),
        f"{head}}}".encode(),
        f'{head},"speed":-1,"volume":900,"occupancy":4}}'.encode(),
        f'{head},"speed":"fast","volume":900,"occupancy":4}}'.encode(),
        f'{head},"speed":61.2,"volume":900,"occupancy":400}}'.encode(),
        f'{head},"speed":NaN,"volume":900,"occupancy":4}}'.encode(),
        b'{"sensor_id":"' + sensor.encode() + b"\xff" + head[14 + len(sensor) :].encode() + b"}",
        f'{{"sensor_id":"{sensor}","timestamp":"yesterday","speed":61.2}}'.encode(),
        f'{{"sensor_id":"","timestamp":"{time}","speed":61.2}}'.encode(),
        None,
    )
    return ways[kind % len(ways)]


def _regular(corridor: Corridor, first: int, count: int, feed_format: FeedFormat) -> MessageBatch:
    measures = corridor.measures(first, count)
    ids = [detector.external_id.encode() for detector in corridor.detectors]
    steps = np.arange(first, first + count) * corridor.period_us
    texts = [show_time(step).encode() for step in steps.tolist()]
    kinds = _kinds(first, count, len(ids), feed_format)
    values = encode(
        kinds.tolist(),
        ids * count,
        [text for text in texts for _ in ids],
        speed=measures.speed.ravel(),
        volume=measures.volume.ravel(),
        occupancy=measures.occupancy.ravel(),
    )
    return MessageBatch(
        keys=ids * count,
        values=values,
        kinds=kinds,
        times_us=np.repeat(steps, len(ids)),
    )


def _kinds(first: int, count: int, sensors: int, feed_format: FeedFormat) -> NDArray[np.int64]:
    """Mixed: every sensor alternates, and so do neighbours."""
    if feed_format == "mixed":
        step, sensor = np.arange(first, first + count), np.arange(sensors)
        return ((step[:, None] + sensor) % 2).ravel()
    return np.full(count * sensors, Kind.NESTED if feed_format == "nested" else Kind.FLAT)


def _disturbed(
    batch: MessageBatch, repeat_share: float, broken_share: float, generator: np.random.Generator
) -> MessageBatch:
    """Put repeats after their originals, and broken messages anywhere."""
    regular = 1 - repeat_share - broken_share
    size = len(batch)
    repeats = _random_part(size * repeat_share / regular, size, generator)
    ruins = _random_part(size * broken_share / regular, size, generator)
    after = generator.uniform(repeats, size)
    position = np.concatenate([np.arange(size), after, ruins])
    order = np.argsort(position, kind="stable")
    source = np.concatenate([np.arange(size), repeats, ruins])[order]
    added = [_repeat(batch.values[i], turn) for turn, i in enumerate(repeats.tolist())]
    for turn, i in enumerate(ruins.tolist()):
        time = show_time(int(batch.times_us[i]))
        added.append(broken(turn + int(generator.integers(10)), batch.keys[i].decode(), time))
    values = [*batch.values, *added]
    marks = (np.full(repeats.size, Kind.REPEAT), np.full(ruins.size, Kind.BROKEN))
    return MessageBatch(
        keys=[batch.keys[i] for i in source.tolist()],
        values=[values[i] for i in order.tolist()],
        kinds=np.concatenate([batch.kinds, *marks])[order],
        times_us=batch.times_us[source],
    )


def _random_part(expected: float, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Positions of about `expected` of `size` messages."""
    count = int(expected) + int(generator.random() < expected % 1)
    return np.sort(generator.integers(0, size, count))


def _repeat(value: bytes | None, turn: int) -> bytes | None:
    """Every other repeat is exact, the rest correct the occupancy, as late recounts do."""
    if value is None or turn % 2 == 0:
        return value
    head, braces, _ = value.partition(b"}")
    rest, colon, occupancy = head.rpartition(b":")
    corrected = f"{float(occupancy) * 1.05:.2f}".encode()
    return rest + colon + corrected + value[value.index(braces) :]
