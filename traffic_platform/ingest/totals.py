"""What a window has done so far, in total and by event date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from traffic_platform.event_tables.audit import DateCounts, PartitionAudit, greatest, least
from traffic_platform.event_tables.batch import Batch

LogPartition = tuple[str, int, int]  # topic, topic_no, partition
OffsetRange = tuple[int, int]  # first offset, next offset


@dataclass
class DateTotals:
    """Messages of one event date (the platform's zone), times in microseconds since 1970 UTC.

    `offsets` holds the range in which the date's messages lie, among those of other dates.
    """

    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    first_event_us: int | None = None
    last_event_us: int | None = None
    offsets: dict[LogPartition, OffsetRange] = field(
        default_factory=dict[LogPartition, OffsetRange]
    )

    def add(self, counts: DateCounts, audit: PartitionAudit) -> None:
        """Add one partition's share of a batch."""
        self.raw += counts.raw
        self.processed += counts.processed
        self.quarantined += counts.quarantined
        self.first_event_us = least(self.first_event_us, counts.first_event_us)
        self.last_event_us = greatest(self.last_event_us, counts.last_event_us)
        if counts.first_offset is None or counts.next_offset is None:
            return
        where = (audit.topic, audit.advance.topic_no, audit.advance.partition)
        first, following = self.offsets.get(where, (counts.first_offset, counts.next_offset))
        self.offsets[where] = (min(first, counts.first_offset), max(following, counts.next_offset))


@dataclass
class IngestTotals:
    """Sums over committed batches; `lag` is the number of messages not stored yet at the end."""

    batches: int = 0
    delivered: int = 0
    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    echoes: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    first_batch_id: int | None = None
    last_batch_id: int | None = None
    lag: int = 0
    partitions: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    dates: dict[date, DateTotals] = field(default_factory=dict[date, DateTotals])

    def add(self, batch: Batch) -> None:
        """Add a committed batch."""
        self.batches += 1
        self.first_batch_id = least(self.first_batch_id, batch.batch_id)
        self.last_batch_id = greatest(self.last_batch_id, batch.batch_id)
        for audit in batch.audits:
            self.delivered += audit.delivered
            self.raw += audit.raw
            self.processed += audit.processed
            self.quarantined += audit.quarantined
            self.echoes += audit.echoes
            self.inserted += audit.inserted
            self.updated += audit.updated
            self.unchanged += audit.unchanged
            self.partitions.add((audit.topic, audit.advance.partition))
            for day, counts in audit.dates.items():
                self.dates.setdefault(day, DateTotals()).add(counts, audit)
