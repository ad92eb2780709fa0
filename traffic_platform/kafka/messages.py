"""Kafka messages as columns: their types, timestamps and headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from traffic_platform.interpreter import AT_A_TIME

MISSING_TIMESTAMP = -1
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999, Python's last
T = TypeVar("T")
Headers = list[tuple[str, bytes | None]]
PartitionKey = tuple[str, int]  # (topic, partition)


@dataclass(frozen=True)
class Reached:
    """Progress of a fetch in a partition. `echoes` of the `delivered` are our own messages."""

    next_offset: int
    delivered: int
    leader_epoch: int | None
    seen_end: int | None
    echoes: int = 0


@dataclass(frozen=True)
class Fetched:
    """Messages in the order of delivery. Sequences have one entry a message.

    Only `partition_keys` has one entry a partition; `key_index` is a message's index in it.
    `broker_us` is in microseconds since 1970-01-01 UTC, MISSING_TIMESTAMP where Kafka has none.
    """

    partition_keys: list[PartitionKey]
    key_index: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    broker_us: npt.NDArray[np.int64]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[Headers | None]
    reached: dict[PartitionKey, Reached]

    def __len__(self) -> int:
        return len(self.values)

    def partition_key(self, row: int | np.integer) -> PartitionKey:
        """Return the topic and partition of a message."""
        return self.partition_keys[int(self.key_index[row])]


def broker_times(messages: Sequence[Message]) -> npt.NDArray[np.int64]:
    """Return microseconds since 1970 UTC, or MISSING_TIMESTAMP for an absent or invalid timestamp.

    With CreateTime the producer sets the timestamp, and some brokers accept any number.
    """
    pairs = chain.from_iterable(each_of(Message.timestamp, messages))
    stamps = integers(pairs, 2 * len(messages)).reshape(-1, 2)
    kinds, milliseconds = stamps[:, 0], stamps[:, 1]
    known = (kinds != TIMESTAMP_NOT_AVAILABLE) & (milliseconds >= 0) & (milliseconds <= _LATEST_MS)
    return np.where(known, np.where(known, milliseconds, 0) * 1000, MISSING_TIMESTAMP)


def headers_of(messages: Sequence[Message]) -> list[Headers | None]:
    """Return the headers of each message, None without any. Call it once for each message.

    Bytes of a name that are not valid UTF-8 become lone surrogates. confluent-kafka raises an error
    for such a name once. From then on it returns pairs with a null pointer as the name, and reading
    that name ends the process.
    """
    try:
        return cast("list[Headers | None]", each_of(Message.headers, messages))
    except SystemError as error:
        name = _name_in(error)
        return [_repaired(message, name) for message in messages]


def _repaired(message: Message, name: bytes) -> Headers | None:
    """Return the headers with `name`, from an error already raised, in place of a null pointer."""
    try:
        headers = cast("Headers | None", message.headers())
    except SystemError as error:
        name, headers = _name_in(error), cast("Headers | None", message.headers())
    return headers and [
        (name.decode("utf-8", "surrogateescape"), pair[1])
        if repr(pair).startswith("(<NULL>")
        else pair
        for pair in headers
    ]


def _name_in(error: SystemError) -> bytes:
    """Return the bytes of a message's last name that is invalid UTF-8; the others are lost."""
    return error.__cause__.object if isinstance(error.__cause__, UnicodeDecodeError) else b"\xff"


def index_partitions(
    messages: Sequence[Message],
) -> tuple[list[PartitionKey], npt.NDArray[np.int64]]:
    """Return the partitions that messages came from, and each message's index among them."""
    topics = cast("list[str]", each_of(Message.topic, messages))
    names = sorted(set(topics))
    keys = integers(each_of(Message.partition, messages), len(messages))
    if len(names) > 1:
        numbers = {name: number << 32 for number, name in enumerate(names)}
        keys |= integers(map(numbers.__getitem__, topics), len(messages))
    different, key_index = np.unique(keys, return_inverse=True)
    return [(names[key >> 32], key & 0xFFFFFFFF) for key in different.tolist()], key_index


def each_of(read: Callable[[Message], T], messages: Sequence[Message]) -> list[T]:
    """Return the result of `read`, a method of Message, for each; a fifth faster than a loop."""
    values: list[T] = []
    for start in range(0, len(messages), AT_A_TIME):
        values += map(read, messages[start : start + AT_A_TIME])
    return values


def integers(numbers: Iterable[int | None], count: int) -> npt.NDArray[np.int64]:
    """Return `count` numbers, none of them None, as an array."""
    return np.fromiter(cast("Iterable[int]", numbers), dtype=np.int64, count=count)
