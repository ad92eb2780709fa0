"""A micro-batch, decoded and encoded before any transaction is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.dirty_buckets import encode_dirty
from traffic_platform.event_tables.newest_readings import NewestReadings
from traffic_platform.event_tables.reading_counts import encode_changes
from traffic_platform.events.columns import Decoded, Processed
from traffic_platform.events.dates import local_days, to_date
from traffic_platform.kafka.messages import MISSING_TIMESTAMP, Fetched, Headers, PartitionKey
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.postgres import copy_binary as pg

_MINUS_INFINITY = np.iinfo(np.int64).min
_DAYS_BEFORE_1970 = 719_528
Ints = npt.NDArray[np.int64]


@dataclass
class DateCounts:
    """Messages of one event date (the platform's zone) in one partition of a batch.

    They lie at offsets from `first_offset` to before `next_offset`, among those of other dates.
    """

    raw: int = 0
    processed: int = 0
    quarantined: int = 0
    first_event_us: int | None = None
    last_event_us: int | None = None
    first_offset: int | None = None
    next_offset: int | None = None

    def add_quarantined(self, offset: int) -> None:
        """Count one message that is no event."""
        self.raw += 1
        self.quarantined += 1
        self.first_offset = least(self.first_offset, offset)
        self.next_offset = greatest(self.next_offset, offset + 1)


@dataclass
class PartitionAudit:
    """What a batch did in one partition: a row of `micro_batches`."""

    topic: str
    move: LedgerAdvance
    delivered: int
    raw: int
    echoes: int
    processed: int
    quarantined: int
    replaced: int  # events of this batch that a later one of this batch replaced by other measures
    new: int  # readings that are copied, since they cannot be in the table yet
    dates: dict[date, DateCounts]
    # What only the table can tell, filled in when the batch is stored.
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Batch:
    """A micro-batch ready to be stored: COPY streams (None: no rows) and the audit."""

    ingested_at_us: int
    raw: bytes | None
    processed: bytes | None
    new_readings: bytes | None
    new_counts: bytes | None
    known_readings: bytes | None
    quarantined: bytes | None
    dirty: bytes | None
    sensors: dict[bytes, str]
    months: set[date]
    audits: list[PartitionAudit]
    batch_id: int
    messages: int = field(default=0)


@dataclass(frozen=True)
class Provenance:
    """Where each message came from, one entry a message."""

    topic_no: Ints
    partition: Ints
    offset: Ints
    broker_us: Ints
    order_us: Ints  # broker time as repeats are ordered by: clamped to arrival, missing sorts first


def build_batch(
    fetched: Fetched,
    ledger: dict[PartitionKey, LedgerAdvance],
    decoded: Decoded,
    newest: NewestReadings,
    *,
    timezone: str,
    batch_id: int,
    ingested_at_us: int,
) -> Batch:
    """Encode what was fetched and decoded. `ledger` holds the advance of each partition of it."""
    source = _provenance(fetched, ledger, ingested_at_us)
    days = quarantine_days(decoded, source.broker_us, timezone)
    events = decoded.processed
    winners, replaced = deduplicate(events, source)
    is_new = newest.split(events.sensor_id[winners], events.timestamp_us[winners])
    new, known = winners[is_new], winners[~is_new]
    audits = _audits(fetched, ledger, decoded, source, timezone, days)
    _count(audits, fetched, source, events.index[replaced], "replaced")
    _count(audits, fetched, source, events.index[new], "new")
    return Batch(
        ingested_at_us=ingested_at_us,
        raw=encode_raw(
            source, fetched.keys, fetched.values, fetched.headers, ingested_at_us, batch_id
        ),
        processed=encode_processed(events, source, batch_id),
        new_readings=encode_readings(events, source, new, ingested_at_us),
        new_counts=encode_changes(events.timestamp_us[new]),
        known_readings=encode_readings(events, source, known, ingested_at_us),
        quarantined=_encode_quarantined(fetched, decoded, source, days, ingested_at_us, batch_id),
        dirty=encode_dirty(events, winners),
        sensors=decoded.sensors,
        months=months_of(events.timestamp_us),
        audits=sorted(audits.values(), key=lambda audit: (audit.topic, audit.move.partition)),
        batch_id=batch_id,
        messages=len(fetched),
    )


def deduplicate(events: Processed, source: Provenance) -> tuple[Ints, Ints]:
    """Keep the latest event of each (sensor, time) of a batch.

    Returns the rows of the winners in key order, and the superseded rows whose measures differ
    from their winner's. Later is (broker time, topic_no, partition, offset).
    """
    halves = events.sensor_id.view(">u8").reshape(-1, 2)
    rows = events.index
    order = np.lexsort(
        (
            source.offset[rows],
            source.partition[rows],
            source.topic_no[rows],
            source.order_us[rows],
            events.timestamp_us,
            halves[:, 1],
            halves[:, 0],
        )
    )
    same_key = (
        (halves[order[1:], 0] == halves[order[:-1], 0])
        & (halves[order[1:], 1] == halves[order[:-1], 1])
        & (events.timestamp_us[order[1:]] == events.timestamp_us[order[:-1]])
    )
    last = np.append(~same_key, True)[: len(order)]
    superseded = np.flatnonzero(~last)
    ends = np.flatnonzero(last)
    winner = order[ends[np.searchsorted(ends, superseded)]]
    loser = order[superseded]
    return order[last], loser[_measures_differ(events, loser, winner)]


def _measures_differ(events: Processed, one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
    differ = np.zeros(len(one), dtype=np.bool_)
    for column in (*events.measures, events.quality_score):
        a, b = column[one], column[other]
        differ |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differ


def _provenance(
    fetched: Fetched, ledger: dict[PartitionKey, LedgerAdvance], ingested_at_us: int
) -> Provenance:
    topic_no = np.array([ledger[where].topic_no for where in fetched.places], dtype=np.int64)
    partition = np.array([where[1] for where in fetched.places], dtype=np.int64)
    return Provenance(
        topic_no=topic_no[fetched.place],
        partition=partition[fetched.place],
        offset=fetched.offset,
        broker_us=fetched.broker_us,
        order_us=order_times(fetched.broker_us, ingested_at_us),
    )


def order_times(broker_us: Ints, ingested_at_us: int | Ints) -> Ints:
    """Broker times as repeats are ordered by."""
    clamped = np.minimum(broker_us, ingested_at_us)
    return np.where(broker_us == MISSING_TIMESTAMP, _MINUS_INFINITY, clamped)


def _audits(
    fetched: Fetched,
    ledger: dict[PartitionKey, LedgerAdvance],
    decoded: Decoded,
    source: Provenance,
    timezone: str,
    quarantine_days: Ints,
) -> dict[PartitionKey, PartitionAudit]:
    dates = _date_counts(fetched, decoded, source, timezone, quarantine_days)
    audits: dict[PartitionKey, PartitionAudit] = {}
    for where, reached in fetched.reached.items():
        counts = dates[where]
        audits[where] = PartitionAudit(
            topic=where[0],
            move=ledger[where],
            delivered=reached.delivered,
            raw=reached.delivered - reached.echoes,
            echoes=reached.echoes,
            processed=sum(day.processed for day in counts.values()),
            quarantined=sum(day.quarantined for day in counts.values()),
            replaced=0,
            new=0,
            dates=counts,
        )
    return audits


def _count(
    audits: dict[PartitionKey, PartitionAudit],
    fetched: Fetched,
    source: Provenance,
    messages: Ints,
    what: Literal["replaced", "new"],
) -> None:
    """Add the number of these messages to each partition's audit."""
    if len(messages) == 0:
        return
    keys = source.topic_no[messages] << 32 | source.partition[messages]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    for row, count in zip(messages[first], counts, strict=True):
        setattr(audits[fetched.where(row)], what, int(count))


def _date_counts(
    fetched: Fetched,
    decoded: Decoded,
    source: Provenance,
    timezone: str,
    quarantine_days: Ints,
) -> defaultdict[PartitionKey, dict[date, DateCounts]]:
    """Counts by partition and event date; what is no event counts at its broker's date."""
    counts: defaultdict[PartitionKey, dict[date, DateCounts]] = defaultdict(dict)
    events, rows = decoded.processed, decoded.processed.index
    days = local_days(events.timestamp_us, timezone)
    # topic_no has 15 bits, a day after year 0 has 22, and Kafka's partitions have fewer than 24:
    # one integer names a partition's day.
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
        counts[fetched.where(int(rows[row]))][to_date(int(days[row]))] = DateCounts(
            raw=size,
            processed=size,
            first_event_us=first_us,
            last_event_us=last_us,
            first_offset=first,
            next_offset=last + 1,
        )
    for item, day in zip(decoded.quarantined, quarantine_days.tolist(), strict=True):
        of_partition = counts[fetched.where(item.index)]
        entry = of_partition.setdefault(to_date(day), DateCounts())
        entry.add_quarantined(int(source.offset[item.index]))
    return counts


def quarantine_days(decoded: Decoded, broker_us: Ints, timezone: str) -> Ints:
    """The date that each message in quarantine counts at, as days since 1970.

    `broker_us` has an entry for each message that was decoded.
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
    """The smaller one; None is not known."""
    return min((value for value in (one, other) if value is not None), default=None)


def greatest(one: int | None, other: int | None) -> int | None:
    """The greater one; None is not known."""
    return max((value for value in (one, other) if value is not None), default=None)


def months_of(timestamp_us: Ints) -> set[date]:
    """First days of the UTC months that the events fall in."""
    months = np.unique(timestamp_us.astype("datetime64[us]").astype("datetime64[M]"))
    return {month.astype("datetime64[D]").item() for month in months}


def encode_raw(
    source: Provenance,
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    headers: Sequence[Headers | None],
    arrival_us: Ints | int,
    batch_id: Ints | int,
) -> bytes | None:
    """Rows of raw_events as a COPY stream; None without any."""
    count = len(values)
    if count == 0:
        return None
    missing = source.broker_us == MISSING_TIMESTAMP
    return pg.encode_rows(
        count,
        (
            pg.integers(source.topic_no, 2),
            pg.integers(source.partition, 4),
            pg.integers(source.offset, 8),
            pg.variable(keys),
            pg.variable(values),
            pg.variable([encode_headers(pairs) if pairs else None for pairs in headers]),
            pg.timestamps(source.broker_us, missing if missing.any() else None),
            pg.timestamps(np.full(count, arrival_us)),
            pg.integers(np.full(count, batch_id), 8),
        ),
    )


def encode_processed(events: Processed, source: Provenance, batch_id: int) -> bytes | None:
    """Rows of processed_events as a COPY stream; None without any."""
    count = len(events)
    if count == 0:
        return None
    rows = events.index
    return pg.encode_rows(
        count,
        (
            pg.integers(source.topic_no[rows], 2),
            pg.integers(source.partition[rows], 4),
            pg.integers(source.offset[rows], 8),
            pg.uuids(events.sensor_id),
            pg.timestamps(events.timestamp_us),
            *pg.measures(events.measures),
            pg.doubles(events.quality_score),
            pg.integers(events.quality_flags, 2),
            pg.integers(events.format, 2),
            pg.integers(np.full(count, batch_id), 8),
        ),
    )


def encode_readings(
    events: Processed, source: Provenance, winners: Ints, moment_us: int
) -> bytes | None:
    """Readings of these rows, stored at `moment_us`, as a COPY stream; None without any."""
    if len(winners) == 0:
        return None
    now = pg.timestamps(np.full(len(winners), moment_us))
    rows = events.index[winners]
    return pg.encode_rows(
        len(winners),
        (
            pg.uuids(events.sensor_id[winners]),
            pg.timestamps(events.timestamp_us[winners]),
            *pg.measures(events.measures, winners),
            pg.doubles(events.quality_score[winners]),
            pg.integers(events.quality_flags[winners], 2),
            pg.timestamps(source.order_us[rows]),
            pg.integers(source.topic_no[rows], 2),
            pg.integers(source.partition[rows], 4),
            pg.integers(source.offset[rows], 8),
            now,
            now,
        ),
    )


def _encode_quarantined(
    fetched: Fetched,
    decoded: Decoded,
    source: Provenance,
    quarantine_days: Ints,
    ingested_at_us: int,
    batch_id: int,
) -> bytes | None:
    items = decoded.quarantined
    if not items:
        return None
    rows = np.fromiter((item.index for item in items), dtype=np.int64)
    missing = source.broker_us[rows] == MISSING_TIMESTAMP
    return pg.encode_rows(
        len(items),
        (
            pg.integers(source.topic_no[rows], 2),
            pg.integers(source.partition[rows], 4),
            pg.integers(source.offset[rows], 8),
            pg.Variable([item.reason.value.encode() for item in items]),
            pg.Variable([item.detail.encode() for item in items]),
            pg.Variable([fetched.keys[item.index] for item in items]),
            pg.Variable([fetched.values[item.index] for item in items]),
            pg.timestamps(source.broker_us[rows], missing if missing.any() else None),
            pg.timestamps(np.full(len(items), ingested_at_us)),
            pg.integers(np.full(len(items), batch_id), 8),
            pg.dates(quarantine_days),
        ),
    )


def encode_headers(headers: Headers | None) -> bytes | None:
    """Headers as a binary bytea[]: name, value, name, value … in their order; None without any."""
    if not headers:
        return None
    items: list[bytes | None] = []
    for name, value in headers:
        items += [name.encode("utf-8", "surrogateescape"), value]
    return _bytea_array(items)


def _bytea_array(items: Sequence[bytes | None]) -> bytes:
    # array_recv: dimensions, has-nulls flag, element type (bytea is 17), size, lower bound, items.
    head = (1, int(None in items), 17, len(items), 1)
    parts = [number.to_bytes(4, "big") for number in head]
    for item in items:
        parts.append(b"\xff\xff\xff\xff" if item is None else len(item).to_bytes(4, "big") + item)
    return b"".join(parts)
