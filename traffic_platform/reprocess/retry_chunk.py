"""A chunk of quarantine: messages that nobody has worked off yet, in the order of their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from traffic_platform.events.columns import Decoded
from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.statements import statement

Ints = npt.NDArray[np.int64]
Key = tuple[int, int, int]  # topic_no, partition, offset

BEFORE_ALL: Key = (-1, -1, -1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Chunk:
    """Quarantined messages, one entry each; times are microseconds, days days since 1970 UTC.

    `arrival_us` is the arrival of the batch that stored the message, `day` the date that it counts
    at.
    """

    topic_no: Ints
    partition: Ints
    offset: Ints
    broker_us: Ints
    arrival_us: Ints
    day: Ints
    reasons: Sequence[str]
    details: Sequence[str]
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def last(self) -> Key:
        """The key of the last message."""
        return int(self.topic_no[-1]), int(self.partition[-1]), int(self.offset[-1])

    def take(self, rows: list[int]) -> Chunk:
        """The entries at `rows`."""
        return Chunk(
            topic_no=self.topic_no[rows],
            partition=self.partition[rows],
            offset=self.offset[rows],
            broker_us=self.broker_us[rows],
            arrival_us=self.arrival_us[rows],
            day=self.day[rows],
            reasons=[self.reasons[row] for row in rows],
            details=[self.details[row] for row in rows],
            values=[self.values[row] for row in rows],
        )

    def keys(self, rows: list[int] | Ints) -> dict[str, list[int]]:
        """The keys at `rows`, as statements take them."""
        return {
            "topic_no": self.topic_no[rows].tolist(),
            "partition": self.partition[rows].tolist(),
            "offset": self.offset[rows].tolist(),
        }


def read_chunk(
    connection: psycopg.Connection[Any],
    filters: dict[str, object],
    after: Key,
    *,
    messages: int,
    payload: int,
) -> Chunk:
    """The next messages that `filters` (of reprocess/rejected_chunk.sql) choose after a key.

    At most `messages` of them, and of `payload` bytes unless a single one has more.
    """
    topic_no, partition, offset = after
    parameters = {
        **filters,
        "after_topic_no": topic_no,
        "after_partition": partition,
        "after_offset": offset,
        "messages": messages,
        "payload": payload,
    }
    query = connection.execute(statement("reprocess/rejected_chunk"), parameters, binary=True)
    rows = query.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    return Chunk(
        topic_no=np.array(columns[0], dtype=np.int64),
        partition=np.array(columns[1], dtype=np.int64),
        offset=np.array(columns[2], dtype=np.int64),
        broker_us=_times(columns[3]),
        arrival_us=_times(columns[4]),
        day=np.array([day.toordinal() - _EPOCH_DAY for day in columns[5]], dtype=np.int64),
        reasons=columns[6],
        details=columns[7],
        values=columns[8],
    )


def decode_chunk(decoder: StoredMessageDecoder, chunk: Chunk) -> Decoded:
    """What the messages are by today's rules, each judged by its own arrival."""
    return decoder.decode(chunk.values, chunk.arrival_us)


def _times(moments: Sequence[datetime | None]) -> Ints:
    times = [
        MISSING_TIMESTAMP if moment is None else (moment - _EPOCH) // _MICROSECOND
        for moment in moments
    ]
    return np.array(times, dtype=np.int64)
