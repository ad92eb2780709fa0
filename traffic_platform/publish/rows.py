"""The next rows to publish: committed rows of each generation, in the order of their offsets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from traffic_platform.events.measures import Floats, Measures
from traffic_platform.postgres import binary_columns as columns
from traffic_platform.postgres.connections import Connection
from traffic_platform.publish.positions import GenerationKey, Position
from traffic_platform.statements import statement

Ints = npt.NDArray[np.int64]

_BATCHES_PER_GENERATION = 100


@dataclass(frozen=True)
class Events:
    """Processed events as columns, in the order in which they are published.

    `replay_no` is 0 unless the event was reprocessed. `sensor_id` is (n, 16). Times are
    microseconds since 1970 UTC. A null measure is NaN.
    """

    topic_no: Ints
    partition: Ints
    offset: Ints
    replay_no: Ints
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: Ints
    measures: Measures
    quality_score: Floats

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: npt.NDArray[Any]) -> Events:
        """Return some of the rows, by mask or position."""
        return Events(
            topic_no=self.topic_no[rows],
            partition=self.partition[rows],
            offset=self.offset[rows],
            replay_no=self.replay_no[rows],
            sensor_id=self.sensor_id[rows],
            timestamp_us=self.timestamp_us[rows],
            measures=self.measures.apply(lambda column: column[rows]),
            quality_score=self.quality_score[rows],
        )

    def of(self, key: GenerationKey) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows of a generation."""
        topic_no, partition = key
        return (self.topic_no == topic_no) & (self.partition == partition)

    def by_generation(self) -> Iterator[tuple[GenerationKey, Events]]:
        """Yield the rows of each generation."""
        for key in sorted(set(zip(self.topic_no.tolist(), self.partition.tolist(), strict=True))):
            yield key, self.take(self.of(key))


class QuarantinedRow(NamedTuple):
    """A quarantined message with its original bytes, and the reason."""

    topic_no: int
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None


@dataclass
class Next:
    """The rows after some positions, and the positions `reached` once they are published."""

    events: Events | None = None
    replays: Events | None = None
    quarantined: list[QuarantinedRow] = field(default_factory=list[QuarantinedRow])
    reached: list[tuple[Position, int]] = field(default_factory=list[tuple[Position, int]])

    @property
    def messages(self) -> int:
        """Their number."""
        return sum(map(len, (self.events or (), self.replays or (), self.quarantined)))


class _Batch(NamedTuple):
    """An audit row whose events are not published."""

    batch_id: int
    topic_no: int
    partition: int
    next_offset: int
    raw: int
    first_date: date | None
    last_date: date | None


def read_next(
    connection: Connection, positions: Sequence[Position], *, messages: int, payload: int
) -> Next:
    """Read about `messages` messages after the positions, as whole batches.

    Reads at most `payload` bytes of quarantine, but at least one message. The generations of the
    positions must carry the ledger's current offsets.
    """
    by_route: defaultdict[str, list[Position]] = defaultdict(list)
    for position in positions:
        by_route[position.route].append(position)
    following = Next()
    _read_events(connection, by_route["events"], messages, following)
    _read_replays(connection, by_route["replays"], messages, following)
    _read_quarantine(connection, by_route["quarantine"], messages, payload, following)
    return following


def _read_events(
    connection: Connection, positions: list[Position], messages: int, following: Next
) -> None:
    behind = {p.generation.key: p for p in positions if p.next_position < p.generation.next_offset}
    found = _next_batches(connection, list(behind.values()))
    with_batches = {(batch.topic_no, batch.partition) for batch in found}
    # The ledger advances with its batches, except over offsets that were lost before a read.
    following.reached += [
        (position, position.generation.next_offset)
        for key, position in behind.items()
        if key not in with_batches
    ]
    batches = _first_batches(found, messages)
    ends = {(batch.topic_no, batch.partition): batch.next_offset for batch in batches}
    following.reached += [(behind[key], end) for key, end in ends.items()]
    dates = [day for batch in batches for day in (batch.first_date, batch.last_date) if day]
    if not dates:
        return
    parameters = {
        "batches": sorted({batch.batch_id for batch in batches}),
        "topic_nos": sorted({batch.topic_no for batch in batches}),
        "first_date": min(dates),
        "last_date": max(dates),
    }
    row = connection.execute(statement("publish/read_events"), parameters, binary=True).fetchone()
    assert row is not None
    events = _events(*row)
    wanted = np.zeros(len(events), dtype=np.bool_)
    for key, end in ends.items():
        first = behind[key].next_position
        wanted |= events.of(key) & (events.offset >= first) & (events.offset < end)
    if wanted.any():
        following.events = events.take(wanted)


def _next_batches(connection: Connection, positions: list[Position]) -> list[_Batch]:
    """Return some batches after each position, oldest first."""
    if not positions:
        return []
    parameters = {**_columns(positions), "batches": _BATCHES_PER_GENERATION}
    rows = connection.execute(statement("publish/next_batches"), parameters).fetchall()
    return [_Batch(*row) for row in rows]


def _first_batches(batches: list[_Batch], messages: int) -> list[_Batch]:
    """Return the oldest whole batches that hold at least `messages` messages."""
    chosen: list[_Batch] = []
    counted = 0
    for batch in batches:
        if counted >= messages and batch.batch_id != chosen[-1].batch_id:
            break
        counted += batch.raw
        chosen.append(batch)
    return chosen


def _read_replays(
    connection: Connection, positions: list[Position], messages: int, following: Next
) -> None:
    if not positions:
        return
    parameters = {**_columns(positions), "messages": messages}
    row = connection.execute(statement("publish/read_replays"), parameters, binary=True).fetchone()
    assert row is not None
    events = _events(*row)
    if not len(events):
        return
    following.replays = events
    for position in positions:
        rows = events.of(position.generation.key)
        if rows.any():
            following.reached.append((position, int(events.replay_no[rows].max()) + 1))


def _read_quarantine(
    connection: Connection,
    positions: list[Position],
    messages: int,
    payload: int,
    following: Next,
) -> None:
    """Read up to the ledger's offsets: the table holds every rejected message below them."""
    behind = [p for p in positions if p.next_position < p.generation.next_offset]
    if not behind:
        return
    parameters = {
        **_columns(behind),
        "ends": [position.generation.next_offset for position in behind],
        "messages": messages,
        "payload": payload,
    }
    rows = connection.execute(statement("publish/read_quarantine"), parameters).fetchall()
    # The row beyond the budget stands for all later ones: its generation continues there.
    beyond = {(row[0], row[1]): row[2] for row in reversed(rows) if row[-1]}
    following.quarantined = [QuarantinedRow(*row[:-1]) for row in rows if not row[-1]]
    following.reached += [
        (p, beyond.get(p.generation.key, p.generation.next_offset)) for p in behind
    ]


def _columns(positions: Sequence[Position]) -> dict[str, list[int]]:
    return {
        "topic_nos": [position.generation.topic_no for position in positions],
        "partitions": [position.generation.partition for position in positions],
        "positions": [position.next_position for position in positions],
    }


def _events(
    topic_no: bytes,
    partition: bytes,
    offset: bytes,
    replay_no: bytes,
    sensor_id: bytes,
    timestamp: bytes,
    *sent: bytes,
) -> Events:
    *measures, score, null = sent
    return Events(
        topic_no=columns.integers(topic_no, ">i2"),
        partition=columns.integers(partition, ">i4"),
        offset=columns.integers(offset, ">i8"),
        replay_no=columns.integers(replay_no, ">i8"),
        sensor_id=columns.uuids(sensor_id),
        timestamp_us=columns.times(timestamp),
        measures=columns.measures(measures, null),
        quality_score=columns.doubles(score),
    )
