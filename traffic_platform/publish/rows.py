"""What is to be published next: committed rows, log by log, in the order of their offsets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psycopg

from traffic_platform.events.measures import Floats, Measures
from traffic_platform.postgres import binary_columns as columns
from traffic_platform.publish.positions import Position
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]
Ints = npt.NDArray[np.int64]

_BATCHES_OF_A_LOG = 100


@dataclass(frozen=True)
class Events:
    """Processed events as columns, in the order in which they are published.

    `replay_no` is 0 for what was no replay. `sensor_id` is (n, 16); times are microseconds since
    1970 UTC; a null measure is NaN.
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
        """Some of the rows, by mask or position."""
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


class QuarantinedRow(NamedTuple):
    """A message in quarantine as it came, and why."""

    topic_no: int
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None


@dataclass
class Next:
    """The rows behind some positions, and where these are when the rows are published."""

    events: Events | None = None
    replays: Events | None = None
    quarantined: list[QuarantinedRow] = field(default_factory=list[QuarantinedRow])
    reached: list[tuple[Position, int]] = field(default_factory=list[tuple[Position, int]])

    @property
    def messages(self) -> int:
        """How many messages they are."""
        return sum(map(len, (self.events or (), self.replays or (), self.quarantined)))


class _Batch(NamedTuple):
    """An audit row that has not been published."""

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
    """About `messages` messages behind the positions, whole batches of windows.

    Of quarantine no more than `payload` bytes, but one message at least. The ledger's offsets of
    the positions must have been read before.
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
    behind = [p for p in positions if p.next_position < p.log.next_offset]
    found = _next_batches(connection, behind)
    for position in behind:
        # The ledger moves with its batches, but for offsets that were lost before they were read.
        if not any((b.topic_no, b.partition) == _log(position) for b in found):
            following.reached.append((position, position.log.next_offset))
    batches = _first_of(found, messages)
    begun = {_log(position): position for position in behind}
    ends: dict[tuple[int, int], int] = {}
    for batch in batches:
        ends[batch.topic_no, batch.partition] = batch.next_offset
    following.reached += [(begun[log], end) for log, end in ends.items()]
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
    for (topic_no, partition), end in ends.items():
        first = begun[topic_no, partition].next_position
        of_log = (events.topic_no == topic_no) & (events.partition == partition)
        wanted |= of_log & (events.offset >= first) & (events.offset < end)
    if wanted.any():
        following.events = events.take(wanted)


def _next_batches(connection: Connection, positions: list[Position]) -> list[_Batch]:
    """Some batches behind each position, oldest first."""
    if not positions:
        return []
    parameters = {**_logs(positions), "batches": _BATCHES_OF_A_LOG}
    rows = connection.execute(statement("publish/next_batches"), parameters).fetchall()
    return [_Batch(*row) for row in rows]


def _first_of(batches: list[_Batch], messages: int) -> list[_Batch]:
    """The oldest batches that hold `messages` messages, whole ones."""
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
    parameters = {**_logs(positions), "messages": messages}
    row = connection.execute(statement("publish/read_replays"), parameters, binary=True).fetchone()
    assert row is not None
    events = _events(*row)
    if not len(events):
        return
    following.replays = events
    for position in positions:
        topic_no, partition = _log(position)
        of_log = (events.topic_no == topic_no) & (events.partition == partition)
        if of_log.any():
            following.reached.append((position, int(events.replay_no[of_log].max()) + 1))


def _read_quarantine(
    connection: Connection,
    positions: list[Position],
    messages: int,
    payload: int,
    following: Next,
) -> None:
    """Up to the ledger, which was read before: what it has reached is in the table."""
    behind = [p for p in positions if p.next_position < p.log.next_offset]
    if not behind:
        return
    parameters = {
        **_logs(behind),
        "ends": [position.log.next_offset for position in behind],
        "messages": messages,
        "payload": payload,
    }
    rows = connection.execute(statement("publish/read_quarantine"), parameters).fetchall()
    # A row that is beyond the budget stands for all that follow: there its log goes on.
    beyond = {(row[0], row[1]): row[2] for row in reversed(rows) if row[-1]}
    following.quarantined = [QuarantinedRow(*row[:-1]) for row in rows if not row[-1]]
    following.reached += [
        (position, beyond.get(_log(position), position.log.next_offset)) for position in behind
    ]


def _log(position: Position) -> tuple[int, int]:
    return position.log.topic_no, position.log.partition


def _logs(positions: Sequence[Position]) -> dict[str, list[int]]:
    return {
        "topic_nos": [position.log.topic_no for position in positions],
        "partitions": [position.log.partition for position in positions],
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
