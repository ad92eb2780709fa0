"""Counts of a batch by partition and event date, for the rows of `micro_batches`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np

from traffic_platform.event_tables.order_times import Ints, Provenance
from traffic_platform.events.columns import Decoded
from traffic_platform.events.dates import local_days, to_date
from traffic_platform.kafka.messages import Fetched, PartitionKey
from traffic_platform.ledger.offsets import LedgerAdvance

_DAYS_BEFORE_1970 = 719_528

COUNTS = (
    "delivered",
    "raw",
    "processed",
    "quarantined",
    "echoes",
    "inserted",
    "updated",
    "unchanged",
    "superseded",
)
"""The counts of an audit that add up over batches."""


@dataclass
class DateCounts:
    """Messages of one event date (the platform's zone) in one partition of a batch.

    Their offsets are from `first_offset` to below `next_offset`, among those of other dates.
    """

    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    first_event_us: int | None = None
    last_event_us: int | None = None
    first_offset: int | None = None
    next_offset: int | None = None

    def add_quarantined(self, offset: int) -> None:
        """Count one rejected message."""
        self.raw += 1
        self.quarantined += 1
        self.first_offset = least(self.first_offset, offset)
        self.next_offset = greatest(self.next_offset, offset + 1)


@dataclass
class PartitionAudit:
    """The counts of a batch in one partition: a row of `micro_batches`."""

    topic: str
    advance: LedgerAdvance
    delivered: int
    raw: int
    echoes: int
    processed: int
    quarantined: int
    new: int  # readings that are copied, since they cannot be in the table yet
    dates: dict[date, DateCounts]
    # Only the table can tell these. They are filled in when the batch is written.
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0


def audit_partitions(
    fetched: Fetched,
    ledger: dict[PartitionKey, LedgerAdvance],
    decoded: Decoded,
    source: Provenance,
    timezone: str,
    quarantine_days: Ints,
) -> dict[PartitionKey, PartitionAudit]:
    """Count the messages and events of each partition of a batch."""
    dates = _date_counts(fetched, decoded, source, timezone, quarantine_days)
    audits: dict[PartitionKey, PartitionAudit] = {}
    for key, reached in fetched.reached.items():
        counts = dates[key]
        audits[key] = PartitionAudit(
            topic=key[0],
            advance=ledger[key],
            delivered=reached.delivered,
            raw=reached.delivered - reached.echoes,
            echoes=reached.echoes,
            processed=sum(day.processed for day in counts.values()),
            quarantined=sum(day.quarantined for day in counts.values()),
            new=0,
            dates=counts,
        )
    return audits


def count_new(
    audits: dict[PartitionKey, PartitionAudit], fetched: Fetched, source: Provenance, messages: Ints
) -> None:
    """Set the number of new readings of each partition, which these messages give."""
    if len(messages) == 0:
        return
    keys = source.topic_no[messages] << 32 | source.partition[messages]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    for row, count in zip(messages[first], counts, strict=True):
        audits[fetched.partition_key(row)].new = int(count)


def _date_counts(
    fetched: Fetched,
    decoded: Decoded,
    source: Provenance,
    timezone: str,
    quarantine_days: Ints,
) -> defaultdict[PartitionKey, dict[date, DateCounts]]:
    """Count by partition and event date; rejected messages by `quarantine_days`."""
    counts: defaultdict[PartitionKey, dict[date, DateCounts]] = defaultdict(dict)
    events, rows = decoded.processed, decoded.processed.index
    days = local_days(events.timestamp_us, timezone)
    # One integer identifies a partition's day: topic_no has 15 bits, a day since year 0 has 22, and
    # Kafka's partition numbers have fewer than 24.
    since_year_0 = days.astype(np.int64) + _DAYS_BEFORE_1970
    keys = (source.topic_no[rows] << 24 | source.partition[rows]) << 22 | since_year_0
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1)) if len(order) else order
    sizes = np.diff(starts, append=len(order))
    times, offsets = events.timestamp_us[order], source.offset[rows][order]
    ranges = [
        extreme.reduceat(values, starts) if len(starts) else starts
        for values in (times, offsets)
        for extreme in (np.minimum, np.maximum)
    ]
    for row, size, first_us, last_us, first, last in zip(
        order[starts].tolist(), sizes.tolist(), *(column.tolist() for column in ranges), strict=True
    ):
        counts[fetched.partition_key(int(rows[row]))][to_date(int(days[row]))] = DateCounts(
            raw=size,
            processed=size,
            first_event_us=first_us,
            last_event_us=last_us,
            first_offset=first,
            next_offset=last + 1,
        )
    for item, day in zip(decoded.quarantined, quarantine_days.tolist(), strict=True):
        of_partition = counts[fetched.partition_key(item.index)]
        entry = of_partition.setdefault(to_date(day), DateCounts())
        entry.add_quarantined(int(source.offset[item.index]))
    return counts


def quarantine_days(decoded: Decoded, broker_us: Ints, timezone: str) -> Ints:
    """Return the date of each rejected message, as days since 1970.

    That is the date of its event time, else of its broker timestamp. `broker_us` has an entry for
    each decoded message.
    """
    times = np.fromiter(
        (
            item.timestamp_us
            if item.timestamp_us is not None
            else max(0, int(broker_us[item.index]))
            for item in decoded.quarantined
        ),
        dtype=np.int64,
    )
    return local_days(times, timezone).astype(np.int64)


def least(one: int | None, other: int | None) -> int | None:
    """Return the smaller number; None stands for an unknown one."""
    return min((value for value in (one, other) if value is not None), default=None)


def greatest(one: int | None, other: int | None) -> int | None:
    """Return the greater number; None stands for an unknown one."""
    return max((value for value in (one, other) if value is not None), default=None)
