"""What a chunk's transaction writes, decided and encoded before it is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.audit import DateCounts, PartitionAudit
from traffic_platform.event_tables.batch import months_of
from traffic_platform.event_tables.deduplicate import Provenance, deduplicate, order_times
from traffic_platform.event_tables.dirty_buckets import encode_dirty
from traffic_platform.event_tables.encode import encode_processed, encode_readings
from traffic_platform.events.columns import Decoded
from traffic_platform.events.dates import local_days, to_date
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.reprocess.retry_chunk import Chunk

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rejudged:
    """A message that stays, for another reason or in other words."""

    row: int
    reason: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What a chunk turned into; rows are positions in the chunk.

    `passed` are events now; `processed`, `readings` and `dirty` are the COPY streams of what
    follows from them, None without any.
    """

    batch_id: int
    moment_us: int
    passed: Ints
    rejudged: list[Rejudged]
    processed: bytes | None
    readings: bytes | None
    dirty: bytes | None
    months: set[date]
    sensors: dict[bytes, str]
    audits: list[PartitionAudit]

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to write."""
        return len(self.passed) == 0 and not self.rejudged


def build_outcome(
    chunk: Chunk, decoded: Decoded, *, timezone: str, batch_id: int, moment_us: int
) -> Outcome:
    """Encode what passes; `moment_us` is when its readings say that they were stored."""
    events = decoded.processed
    source = Provenance(
        topic_no=chunk.topic_no,
        partition=chunk.partition,
        offset=chunk.offset,
        broker_us=chunk.broker_us,
        order_us=order_times(chunk.broker_us, chunk.arrival_us),
    )
    winners, replaced = deduplicate(events, source)
    days = local_days(events.timestamp_us, timezone).astype(np.int64)
    return Outcome(
        batch_id=batch_id,
        moment_us=moment_us,
        passed=events.index,
        rejudged=list(_rejudged(chunk, decoded)),
        processed=encode_processed(events, source, batch_id),
        readings=encode_readings(events, source, winners, moment_us),
        dirty=encode_dirty(events, winners),
        months=months_of(events.timestamp_us),
        sensors=decoded.sensors,
        audits=_audits(chunk, events.index, days, events.index[replaced]),
    )


def _rejudged(chunk: Chunk, decoded: Decoded) -> Iterator[Rejudged]:
    for item in decoded.quarantined:
        now = (item.reason.value, item.detail)
        if now != (chunk.reasons[item.index], chunk.details[item.index]):
            yield Rejudged(item.index, *now)


def _audits(chunk: Chunk, passed: Ints, days: Ints, replaced: Ints) -> list[PartitionAudit]:
    """Signed differences, a row for each partition of a log."""
    places = chunk.topic_no << 32 | chunk.partition
    audits: list[PartitionAudit] = []
    for place in np.unique(places[passed]).tolist():
        mine = places[passed] == place
        rows = passed[mine]
        offsets = chunk.offset[rows]
        audits.append(
            PartitionAudit(
                topic="",
                advance=LedgerAdvance(
                    topic_no=place >> 32,
                    partition=place & 0xFFFFFFFF,
                    first_offset=int(offsets.min()),
                    next_offset=int(offsets.max()) + 1,
                    leader_epoch=None,
                    seen_end=None,
                ),
                delivered=0,
                raw=0,
                echoes=0,
                processed=len(rows),
                quarantined=-len(rows),
                replaced=int((places[replaced] == place).sum()),
                new=0,
                dates=_moved(chunk.day[rows], days[mine]),
            )
        )
    return audits


def _moved(counted: Ints, due: Ints) -> dict[date, DateCounts]:
    """A message leaves quarantine at the date it was counted at, and is an event at its own."""
    dates: defaultdict[date, DateCounts] = defaultdict(DateCounts)
    for day, number in _numbers(counted):
        dates[day].raw -= number
        dates[day].quarantined -= number
    for day, number in _numbers(due):
        dates[day].raw += number
        dates[day].processed += number
    return dict(dates)


def _numbers(days: Ints) -> Iterator[tuple[date, int]]:
    different, numbers = np.unique(days, return_counts=True)
    for day, number in zip(different.tolist(), numbers.tolist(), strict=True):
        yield to_date(day), number
