"""Order times: of several events for one sensor and time, the one with the latest order time wins.

The order time of a message is its broker timestamp, at most its arrival, but never below that of an
earlier message of its partition. So a clock that steps back never lets an earlier offset win. A
missing timestamp takes the order time of the message before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.postgres.binary_columns import optional_times

Ints = npt.NDArray[np.int64]
MINUS_INFINITY = int(np.iinfo(np.int64).min)
"""The order time before all others, in microseconds."""


@dataclass(frozen=True)
class Provenance:
    """The source of each message, one entry a message; times in microseconds since 1970 UTC.

    `clamped_us` is the broker timestamp, at most the arrival (MINUS_INFINITY where it is missing).
    """

    topic_no: Ints
    partition: Ints
    offset: Ints
    broker_us: Ints
    clamped_us: Ints
    order_us: Ints


def clamp(broker_us: Ints, arrival_us: int | Ints) -> Ints:
    """Return broker timestamps, at most the arrival; missing ones are the earliest."""
    clamped = np.minimum(broker_us, arrival_us)
    return np.where(broker_us == MISSING_TIMESTAMP, MINUS_INFINITY, clamped)


def received(sent: Iterable[bytes | None]) -> Ints:
    """Return order times as PostgreSQL sends them; null is before all others."""
    times = optional_times(sent, MISSING_TIMESTAMP)
    return np.where(times == MISSING_TIMESTAMP, MINUS_INFINITY, times)


def stored_order_times(stored_us: Ints, broker_us: Ints, arrival_us: Ints) -> tuple[Ints, Ints]:
    """Return clamped broker timestamps, and order times.

    `stored_us` is the column of the tables, with MISSING_TIMESTAMP for null: both are equal there.
    """
    clamped_us = clamp(broker_us, arrival_us)
    return clamped_us, np.where(stored_us == MISSING_TIMESTAMP, clamped_us, stored_us)


def raise_to_floors(
    clamped_us: Ints, key_index: Ints, floors_us: list[int]
) -> tuple[Ints, list[int]]:
    """Return the order time of each message, and the largest of each partition.

    `key_index` names the partition of each message; its messages come in the order of offsets.
    `floors_us` are the largest order times before these messages, one a partition.
    """
    by_key = np.argsort(key_index.astype(np.uint16), kind="stable")
    order_us = clamped_us[by_key]
    ends = np.cumsum(np.bincount(key_index, minlength=len(floors_us))).tolist()
    largest = list(floors_us)
    for key, (start, end) in enumerate(pairwise([0, *ends])):
        mine = np.maximum(order_us[start:end], floors_us[key])
        np.maximum.accumulate(mine, out=order_us[start:end])
        if end > start:
            largest[key] = int(order_us[end - 1])
    raised_us = np.empty_like(order_us)
    raised_us[by_key] = order_us
    return raised_us, largest
