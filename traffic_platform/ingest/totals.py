"""Sums over the committed batches of an ingest run, in total and by event date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from traffic_platform.event_tables.audit import COUNTS, DateCounts, PartitionAudit, greatest, least
from traffic_platform.event_tables.batch import Batch

GenerationKey = tuple[str, int, int]  # topic, topic_no, partition
OffsetRange = tuple[int, int]  # first offset, next offset


@dataclass
class DateTotals:
    """Messages of one event date (the platform's zone); times in microseconds since 1970 UTC.

    `offsets` holds the ranges that contain the date's messages, among those of other dates.
    """

    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    first_event_us: int | None = None
    last_event_us: int | None = None
    offsets: dict[GenerationKey, OffsetRange] = field(
        default_factory=dict[GenerationKey, OffsetRange]
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
        key = (audit.topic, audit.advance.topic_no, audit.advance.partition)
        first, following = self.offsets.get(key, (counts.first_offset, counts.next_offset))
        self.offsets[key] = (min(first, counts.first_offset), max(following, counts.next_offset))


@dataclass
class IngestTotals:
    """Sums over committed batches; `lag` is the number of messages left at the end."""

    batches: int = 0
    delivered: int = 0
    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    echoes: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
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
            for name in COUNTS:
                setattr(self, name, getattr(self, name) + getattr(audit, name))
            self.partitions.add((audit.topic, audit.advance.partition))
            for day, counts in audit.dates.items():
                self.dates.setdefault(day, DateTotals()).add(counts, audit)
