"""Synthetic measures as messages, as controllers of detectors send them.

Some messages can repeat an earlier one, exactly or with a correction. Others can be broken, like
messages of real feeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traffic_platform.demo.detectors import Corridor, Measures
from traffic_platform.demo.highway import Floats
from traffic_platform.events.formats import FORMATS
from traffic_platform.events.measures import MEASURES
from traffic_platform.events.texts import show_time

MIXED = "mixed"
"""The feed format whose messages take all formats in turn."""

KINDS = (*(form.name for form in FORMATS), "repeat", "broken")
"""Names of the kinds of messages. The first ones are regular messages, by their format."""
REPEAT = KINDS.index("repeat")
BROKEN = KINDS.index("broken")

_BATCH_EVENTS = 10_000
_TEMPLATES = tuple(form.template for form in FORMATS)


@dataclass(frozen=True)
class MessageBatch:
    """Messages in the order of sending. All columns have the same length.

    `kinds` are positions in KINDS. `times_us` holds the start of each message's interval
    (microseconds since 1970).
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
    feed_format: str = MIXED,
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
        measures = corridor.measures(step, take)
        batch = _regular(corridor, measures, step, take, feed_format)
        if repeat_share or broken_share:
            batch = _disturbed(batch, measures, repeat_share, broken_share, generator)
        yield batch
        step += take


def encode(
    kinds: Sequence[int],
    sensors: Sequence[bytes],
    times: Sequence[bytes],
    **measures: Floats,
) -> list[bytes]:
    """Return events in the formats of their kinds, one for each entry.

    `sensors` are JSON strings without their quotes, `times` are ISO 8601. NaN, and a measure
    without a column, become null.
    """
    none = np.full(len(sensors), np.nan)
    columns = [_numbers(measures.get(measure.name, none)) for measure in MEASURES]
    rows = zip(sensors, times, *columns, strict=True)
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


def _regular(
    corridor: Corridor, measures: Measures, first: int, count: int, feed_format: str
) -> MessageBatch:
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


def _kinds(first: int, count: int, sensors: int, feed_format: str) -> NDArray[np.int64]:
    """Return the kind of each message. Mixed takes formats in turn, by interval and by sensor."""
    if feed_format == MIXED:
        step, sensor = np.arange(first, first + count), np.arange(sensors)
        return ((step[:, None] + sensor) % len(FORMATS)).ravel()
    return np.full(count * sensors, KINDS.index(feed_format))


def _disturbed(
    batch: MessageBatch,
    measures: Measures,
    repeat_share: float,
    broken_share: float,
    generator: np.random.Generator,
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
    added = _repeats(batch, measures, repeats)
    for turn, i in enumerate(broken_ones.tolist()):
        time = show_time(int(batch.times_us[i]))
        added.append(broken(turn + int(generator.integers(10)), batch.keys[i].decode(), time))
    values = [*batch.values, *added]
    marks = (np.full(repeats.size, REPEAT), np.full(broken_ones.size, BROKEN))
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


def _repeats(
    batch: MessageBatch, measures: Measures, rows: NDArray[np.int64]
) -> list[bytes | None]:
    """Return repeats. Every second one corrects the occupancy, the others are exact."""
    corrected = encode(
        batch.kinds[rows].tolist(),
        [batch.keys[row] for row in rows.tolist()],
        [show_time(time).encode() for time in batch.times_us[rows].tolist()],
        speed=measures.speed.ravel()[rows],
        volume=measures.volume.ravel()[rows],
        occupancy=np.round(measures.occupancy.ravel()[rows] * 1.05, 2),
    )
    return [
        corrected[turn] if turn % 2 else batch.values[row] for turn, row in enumerate(rows.tolist())
    ]
