"""What a window has done so far, in total and by event date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from traffic_platform.ingest.batch import Batch, DateCounts, PartitionAudit
from traffic_platform.ingest.fetch import Where

OffsetRange = tuple[int, int]  # first offset, next offset


@dataclass
class DateTotals:
    """Messages of one event date (the platform's zone), times in microseconds since 1970 UTC."""

    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    first_event_us: int | None = None
    last_event_us: int | None = None
    offsets: dict[Where, OffsetRange] = field(default_factory=dict[Where, OffsetRange])

    def add(self, counts: DateCounts, audit: PartitionAudit) -> None:
        """Add one partition's share of a batch."""
        self.raw += counts.raw
        self.processed += counts.processed
        self.quarantined += counts.quarantined
        self.first_event_us = _least(self.first_event_us, counts.first_event_us)
        self.last_event_us = _greatest(self.last_event_us, counts.last_event_us)
        _extend(self.offsets, audit)


@dataclass
class WindowTotals:
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
    offsets: dict[Where, OffsetRange] = field(default_factory=dict[Where, OffsetRange])
    dates: dict[date, DateTotals] = field(default_factory=dict[date, DateTotals])

    def add(self, batch: Batch) -> None:
        """Add a committed batch."""
        self.batches += 1
        self.first_batch_id = _least(self.first_batch_id, batch.batch_id)
        self.last_batch_id = _greatest(self.last_batch_id, batch.batch_id)
        for audit in batch.audits:
            self.delivered += audit.delivered
            self.raw += audit.raw
            self.processed += audit.processed
            self.quarantined += audit.quarantined
            self.inserted += audit.inserted
            self.updated += audit.updated
            self.unchanged += audit.unchanged
            _extend(self.offsets, audit)
            for day, counts in audit.dates.items():
                self.dates.setdefault(day, DateTotals()).add(counts, audit)


def _extend(offsets: dict[Where, OffsetRange], audit: PartitionAudit) -> None:
    where = (audit.topic, audit.move.partition)
    first, following = offsets.get(where, (audit.move.first_offset, audit.move.next_offset))
    offsets[where] = (
        min(first, audit.move.first_offset),
        max(following, audit.move.next_offset),
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _greatest(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
