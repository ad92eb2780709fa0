"""Ranges of offsets that hold the messages of some dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from traffic_platform.postgres.connections import Connection
from traffic_platform.reprocess.stored_messages import Ints, Messages
from traffic_platform.statements import statement

# Messages arrive before their batch commits: seconds before, or two minutes in an outage.
_ARRIVAL_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Range:
    """Offsets of one generation that batches of the dates hold, with the number of raw rows.

    `by_others` is True if rules other than today's decided messages there.
    """

    topic_no: int
    partition: int
    first_offset: int
    next_offset: int
    by_others: bool
    raw: int


class Ranges:
    """The ranges of a backfill, and the first and last arrival of their messages."""

    def __init__(self, ranges: Sequence[Range], arrived: tuple[datetime, datetime] | None) -> None:
        self._by_partition: dict[int, tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]] = {}
        self._ranges = ranges
        self._found = np.zeros(len(ranges), dtype=np.int64)
        self.arrived = arrived
        keys = np.array([item.topic_no << 32 | item.partition for item in ranges], dtype=np.int64)
        for key in np.unique(keys).tolist():
            numbers = np.flatnonzero(keys == key)
            mine = [ranges[number] for number in numbers.tolist()]
            self._by_partition[key] = (
                np.array([item.first_offset for item in mine], dtype=np.int64),
                np.array([item.next_offset for item in mine], dtype=np.int64),
                np.array([item.by_others for item in mine], dtype=np.bool_),
                numbers,
            )

    def locate(self, messages: Messages) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return masks: messages in a range, and those of them that other rules decided."""
        inside = np.zeros(len(messages), dtype=np.bool_)
        by_others = np.zeros(len(messages), dtype=np.bool_)
        keys = messages.topic_no << 32 | messages.partition
        for key in np.unique(keys).tolist():
            if key not in self._by_partition:
                continue
            first, following, others, numbers = self._by_partition[key]
            rows = np.flatnonzero(keys == key)
            at = np.searchsorted(first, messages.offset[rows], side="right") - 1
            found = (at >= 0) & (messages.offset[rows] < following[at])
            inside[rows] = found
            by_others[rows] = found & others[at]
            self._found += np.bincount(numbers[at[found]], minlength=len(self._found))
        return inside, by_others

    def incomplete(self) -> list[Range]:
        """Return the ranges with fewer located messages than stored ones."""
        return [
            item
            for item, found in zip(self._ranges, self._found.tolist(), strict=True)
            if found < item.raw
        ]


def find_ranges(connection: Connection, dates: Sequence[date], rules_version: str) -> Ranges:
    """Return the ranges that hold the messages of these dates."""
    parameters = {"dates": list(dates), "rules_version": rules_version}
    rows = connection.execute(statement("reprocess/ranges"), parameters).fetchall()
    arrived = None
    if rows:
        arrived = (
            min(row[6] for row in rows) - _ARRIVAL_SLACK,
            max(row[7] for row in rows) + _ARRIVAL_SLACK,
        )
    return Ranges([Range(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows], arrived)
