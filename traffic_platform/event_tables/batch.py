"""A micro-batch: decoded messages, encoded before any transaction is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from traffic_platform.event_tables.audit import (
    PartitionAudit,
    audit_partitions,
    count_new,
    quarantine_days,
)
from traffic_platform.event_tables.deduplicate import deduplicate
from traffic_platform.event_tables.dirty_buckets import encode_dirty
from traffic_platform.event_tables.encode import (
    encode_processed,
    encode_quarantined,
    encode_raw,
    encode_readings,
)
from traffic_platform.event_tables.newest_readings import NewestReadings
from traffic_platform.event_tables.order_times import (
    Ints,
    Provenance,
    clamp,
    raise_to_floors,
)
from traffic_platform.event_tables.reading_counts import encode_changes
from traffic_platform.events.columns import Decoded
from traffic_platform.events.dates import from_microseconds, to_microseconds
from traffic_platform.kafka.messages import Fetched, PartitionKey
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.ledger.reconcile import EPOCH


@dataclass(frozen=True)
class Batch:
    """A micro-batch ready to be written: COPY streams (None: no rows) and the audit."""

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
    messages: int = 0


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
    """Encode fetched and decoded messages. `ledger` holds the advance of each partition.

    The audits of the batch hold these advances with the order time that the partition reaches.
    """
    source, ledger = _provenance(fetched, ledger, ingested_at_us)
    days = quarantine_days(decoded, source.broker_us, timezone)
    events = decoded.processed
    winners = deduplicate(events, source)
    is_new = newest.split(events.sensor_id[winners], events.timestamp_us[winners])
    new, known = winners[is_new], winners[~is_new]
    audits = audit_partitions(fetched, ledger, decoded, source, timezone, days)
    count_new(audits, fetched, source, events.index[new])
    return Batch(
        ingested_at_us=ingested_at_us,
        raw=encode_raw(
            source, fetched.keys, fetched.values, fetched.headers, ingested_at_us, batch_id
        ),
        processed=encode_processed(events, source, batch_id),
        new_readings=encode_readings(events, source, new, ingested_at_us),
        new_counts=encode_changes(events.timestamp_us[new]),
        known_readings=encode_readings(events, source, known, ingested_at_us),
        quarantined=encode_quarantined(fetched, decoded, source, days, ingested_at_us, batch_id),
        dirty=encode_dirty(events, winners),
        sensors=decoded.sensors,
        months=months_of(events.timestamp_us),
        audits=sorted(audits.values(), key=lambda audit: (audit.topic, audit.advance.partition)),
        batch_id=batch_id,
        messages=len(fetched),
    )


def _provenance(
    fetched: Fetched, ledger: dict[PartitionKey, LedgerAdvance], ingested_at_us: int
) -> tuple[Provenance, dict[PartitionKey, LedgerAdvance]]:
    """Return the source of each message, and the advances with their new order times."""
    keys = fetched.partition_keys
    topic_no = np.array([ledger[key].topic_no for key in keys], dtype=np.int64)
    partition = np.array([partition for _, partition in keys], dtype=np.int64)
    clamped_us = clamp(fetched.broker_us, ingested_at_us)
    floors_us = [to_microseconds(ledger[key].order_floor or EPOCH) for key in keys]
    order_us, largest = raise_to_floors(clamped_us, fetched.key_index, floors_us)
    reached = {
        key: replace(ledger[key], order_time=from_microseconds(us))
        for key, us in zip(keys, largest, strict=True)
    }
    source = Provenance(
        topic_no=topic_no[fetched.key_index],
        partition=partition[fetched.key_index],
        offset=fetched.offset,
        broker_us=fetched.broker_us,
        clamped_us=clamped_us,
        order_us=order_us,
    )
    return source, ledger | reached


def months_of(timestamp_us: Ints) -> set[date]:
    """Return the first days of the UTC months of these events."""
    months = np.unique(timestamp_us.astype("datetime64[us]").astype("datetime64[M]"))
    return {month.astype("datetime64[D]").item() for month in months}
