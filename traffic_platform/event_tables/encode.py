"""Rows of the event tables as COPY streams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traffic_platform.event_tables.order_times import Ints, Provenance
from traffic_platform.events.columns import EVENT_NO, Decoded, Processed
from traffic_platform.kafka.messages import MISSING_TIMESTAMP, Fetched, Headers
from traffic_platform.postgres import copy_binary as pg


def encode_raw(
    source: Provenance,
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    headers: Sequence[Headers | None],
    arrival_us: Ints | int,
    batch_id: Ints | int,
) -> bytes | None:
    """Encode rows of raw_events as a COPY stream; None without any."""
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
            _raised_times(source),
        ),
    )


def encode_processed(events: Processed, source: Provenance, batch_id: int) -> bytes | None:
    """Encode rows of processed_events as a COPY stream; None without any."""
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
            pg.integers(np.full(count, EVENT_NO), 2),
            pg.nulls(count),  # interval_s
        ),
    )


def encode_readings(
    events: Processed, source: Provenance, winners: Ints, stored_us: int
) -> bytes | None:
    """Encode the events at these rows as readings stored at `stored_us`; None without any."""
    if len(winners) == 0:
        return None
    stored = pg.timestamps(np.full(len(winners), stored_us))
    rows = events.index[winners]
    return pg.encode_rows(
        len(winners),
        (
            pg.uuids(events.sensor_id[winners]),
            pg.timestamps(events.timestamp_us[winners]),
            *pg.measures(events.measures, winners),
            pg.doubles(events.quality_score[winners]),
            pg.integers(events.quality_flags[winners], 2),
            pg.timestamps(source.clamped_us[rows]),
            pg.integers(source.topic_no[rows], 2),
            pg.integers(source.partition[rows], 4),
            pg.integers(source.offset[rows], 8),
            stored,
            stored,
            pg.integers(np.full(len(winners), EVENT_NO), 2),
            pg.nulls(len(winners)),  # interval_s
            _raised_times(source, rows),
        ),
    )


def encode_quarantined(
    fetched: Fetched,
    decoded: Decoded,
    source: Provenance,
    quarantine_days: Ints,
    ingested_at_us: int,
    batch_id: int,
) -> bytes | None:
    """Encode rows of quarantined_events as a COPY stream; None without any."""
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
            pg.integers(np.full(len(items), EVENT_NO), 2),
            _raised_times(source, rows),
        ),
    )


def _raised_times(source: Provenance, rows: Ints | slice = slice(None)) -> pg.Column:
    """Encode order times; null where they are the clamped broker timestamp."""
    order_us, clamped_us = source.order_us[rows], source.clamped_us[rows]
    same = order_us == clamped_us
    return pg.nulls(len(same)) if same.all() else pg.timestamps(order_us, same)


def encode_headers(headers: Headers | None) -> bytes | None:
    """Encode headers as a binary bytea[] of name, value, name, value …; None without any."""
    if not headers:
        return None
    items: list[bytes | None] = []
    for name, value in headers:
        items += [name.encode("utf-8", "surrogateescape"), value]
    return _bytea_array(items)


def _bytea_array(items: Sequence[bytes | None]) -> bytes:
    # array_recv reads dimensions, has-nulls flag, element type (17 is bytea), size and lower bound,
    # then the items.
    head = (1, int(None in items), 17, len(items), 1)
    parts = [number.to_bytes(4, "big") for number in head]
    for item in items:
        parts.append(b"\xff\xff\xff\xff" if item is None else len(item).to_bytes(4, "big") + item)
    return b"".join(parts)
