"""Order times of raw messages: in a partition they never fall, and follow from the timestamps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from traffic_platform.event_tables.order_times import MINUS_INFINITY, received
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.compare import shown_time
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.stored_rows import RawChunk
from traffic_platform.verify.verify_report import Finding


class OrderTimes:
    """The order times that one generation should have, chunk by chunk.

    An order time is the clamped broker timestamp, but at least that of the message before. An audit
    row has the largest before its batch, so gaps where retention dropped messages do not matter.
    Batches from before order times were kept are not checked.
    """

    def __init__(self, connection: Connection, generation: PartitionGeneration) -> None:
        query = statement("verify/order_floors")
        rows = connection.execute(query, generation.numbers, binary=True).fetchall()
        first, floors, ceilings, dropped = zip(*rows, strict=True) if rows else [()] * 4
        self._generation = generation
        self._first = np.array(first, dtype=np.int64)
        self._floor_us, self._ceiling_us = received(floors), received(ceilings)
        self._dropped = np.array(dropped, dtype=np.bool_)
        self._before_us = MINUS_INFINITY

    def differences(self, chunk: RawChunk) -> Iterator[Finding]:
        """Yield the differences of the next chunk."""
        at = np.searchsorted(self._first, chunk.offset, side="right") - 1
        kept = np.flatnonzero(at >= 0)
        if len(kept) == 0:
            return
        at, stored = at[kept], chunk.order_us[kept]
        before = np.concatenate(([self._before_us], stored[:-1]))
        lowest = np.maximum(np.maximum(chunk.clamped_us[kept], before), self._floor_us[at])
        # A message that was read from Kafka again may have an arrival later than its own.
        due = np.minimum(lowest, self._ceiling_us[at])
        wrong = np.where(self._dropped[at], stored < due, stored != due)
        self._before_us = int(stored[-1])
        for row in np.flatnonzero(wrong).tolist():
            key = self._generation.numbers | {"offset": int(chunk.offset[kept[row]])}
            expected = f"order_time {shown_time(int(due[row]))}, by the messages up to this one"
            yield Finding("raw_events", key, expected, shown_time(int(stored[row])))
