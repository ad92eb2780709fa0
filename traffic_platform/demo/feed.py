"""Synthetic measures as messages, as controllers of detectors send them.

Some messages can repeat an earlier one, exactly or with a correction. Others can be broken, like
messages of real feeds.
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
    """Kind of a message."""

    FLAT = 0
    NESTED = 1
    REPEAT = 2
    BROKEN = 3


@dataclass(frozen=True)
class MessageBatch:
    """Messages in the order of sending. All columns have the same length.

    `times_us` holds the start of each message's interval (microseconds since 1970).
    """

    keys: list[bytes]
    values: Sequence[bytes | None]
    kinds: NDArray[np.int64]
    times_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, first: int, end: int) -> MessageBatch:
        """Return the messages from number `first` to before number `end`."""
        cut = slice(first, end)
        return MessageBatch(self.keys[cut], self.values[cut], self.kinds[cut], self.times_us[cut])

    def head(self, count: int) -> MessageBatch:
        """Return the first `count` messages."""
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

    `repeat_share` and `broken_share` are shares of all messages, from 0 to 1. All messages of a
    sensor have the same key, so every consumer gets a repeat after its original.
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
    """Return events in the flat (kind 0) or nested (kind 1) format, one for each entry.

    `sensors` are JSON strings without their quotes, `times` are ISO 8601, and NaN becomes null.
    """
    rows = zip(sensors, times, _numbers(speed), _numbers(volume), _numbers(occupancy), strict=True)
    return [_TEMPLATES[kind] % row for kind, row in zip(kinds, rows, strict=True)]


def _numbers(values: Floats) -> list[bytes]:
    """Return JSON numbers, whole ones without a decimal point."""
    # Most values repeat, and formatting a number takes longer than finding its text.
    distinct, positions = np.unique(values, return_inverse=True)
    texts = [
        b"null" if math.isnan(value) else b"%d" % value if value.is_integer() else b"%a" % value
        for value in distinct.tolist()
    ]
    return [texts[position] for position in positions.tolist()]


def broken(kind: int, sensor: str, time: str) -> bytes | None:
    """Return a message that is invalid under all settings. `kind`, any integer, chooses how."""
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
    """Return the format of each message. Mixed alternates by interval and by sensor."""
    if feed_format == "mixed":
        step, sensor = np.arange(first, first + count), np.arange(sensors)
        return ((step[:, None] + sensor) % 2).ravel()
    return np.full(count * sensors, Kind.NESTED if feed_format == "nested" else Kind.FLAT)


def _disturbed(
    batch: MessageBatch, repeat_share: float, broken_share: float, generator: np.random.Generator
) -> MessageBatch:
    """Add repeats after their originals, and broken messages anywhere."""
    regular = 1 - repeat_share - broken_share
    size = len(batch)
    repeats = _random_part(size * repeat_share / regular, size, generator)
    broken_ones = _random_part(size * broken_share / regular, size, generator)
    after = generator.uniform(repeats, size)
    position = np.concatenate([np.arange(size), after, broken_ones])
    order = np.argsort(position, kind="stable")
    source = np.concatenate([np.arange(size), repeats, broken_ones])[order]
    added = [_repeat(batch.values[i], turn) for turn, i in enumerate(repeats.tolist())]
    for turn, i in enumerate(broken_ones.tolist()):
        time = show_time(int(batch.times_us[i]))
        added.append(broken(turn + int(generator.integers(10)), batch.keys[i].decode(), time))
    values = [*batch.values, *added]
    marks = (np.full(repeats.size, Kind.REPEAT), np.full(broken_ones.size, Kind.BROKEN))
    return MessageBatch(
        keys=[batch.keys[i] for i in source.tolist()],
        values=[values[i] for i in order.tolist()],
        kinds=np.concatenate([batch.kinds, *marks])[order],
        times_us=batch.times_us[source],
    )


def _random_part(expected: float, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return positions of about `expected` of `size` messages."""
    count = int(expected) + int(generator.random() < expected % 1)
    return np.sort(generator.integers(0, size, count))


def _repeat(value: bytes | None, turn: int) -> bytes | None:
    """Return a repeat. Every second one is exact, the others correct the occupancy."""
    if value is None or turn % 2 == 0:
        return value
    head, braces, _ = value.partition(b"}")
    rest, colon, occupancy = head.rpartition(b":")
    corrected = f"{float(occupancy) * 1.05:.2f}".encode()
    return rest + colon + corrected + value[value.index(braces) :]
