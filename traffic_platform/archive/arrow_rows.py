"""Rows of `traffic.raw_events` as Arrow record batches: every column, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from traffic_platform.postgres import binary_columns
from traffic_platform.statements import statement

BATCH_ROWS: Final = 20_000
BATCH_BYTES: Final = 8 * 1024 * 1024
# Rows per fetch: as many as fit if all had the size of the day's largest message, within bounds.
_MOST_ROWS: Final = 2_000
_FEWEST_ROWS: Final = 16

# pyarrow has no annotations for its classes of these names.
RecordBatch = Any
Array = Any

_TIME = pa.timestamp("us", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("topic_no", pa.int16(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
        pa.field("headers", pa.list_(pa.binary())),
        pa.field("broker_timestamp", _TIME),
        pa.field("ingested_at", _TIME, nullable=False),
        pa.field("batch_id", pa.int64(), nullable=False),
        pa.field("order_time", _TIME),
    ]
)
"""The columns of raw_events; headers are a list of name, value, name, value …"""


def day_batches(
    connection: psycopg.Connection[Any], lower: datetime, upper: datetime
) -> Iterator[RecordBatch]:
    """Yield the messages that arrived from `lower` to before `upper`, in the table's order.

    Call it in a transaction; it reads one snapshot. A batch holds BATCH_ROWS rows, or about
    BATCH_BYTES.
    """
    bounds = {"lower": lower, "upper": upper}
    row = connection.execute(statement("archive/largest"), bounds).fetchone()
    largest = row[0] if row and row[0] else 1
    number = min(_MOST_ROWS, max(_FEWEST_ROWS, BATCH_BYTES // largest))
    with connection.cursor(name="archive_day") as cursor:
        cursor.execute(statement("archive/day"), bounds, binary=True)
        while rows := _fetch(cursor, number):
            yield to_batch(rows)


def to_batch(rows: Sequence[tuple[Any, ...]]) -> RecordBatch:
    """Return rows of `sql/archive/day.sql` as a record batch."""
    arrays = [
        _times(column) if field.type == _TIME else pa.array(column, field.type)
        for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def digest(batch: RecordBatch, running: Any) -> None:
    """Add the rows of a batch to a hash of hashlib, independent of Arrow's buffers."""
    for column in batch.columns:
        for part in _canonical(column):
            running.update(part)


def new_digest() -> Any:
    """Return a hash for `digest`."""
    return hashlib.blake2b(digest_size=16)


def _canonical(column: Array) -> Iterator[bytes]:
    """Yield a column as bytes that depend on its values only: lengths (-1: null), then values."""
    if pa.types.is_list(column.type):
        yield _numbers(pc.call_function("list_value_length", [column]))
        yield from _canonical(column.flatten())
    elif pa.types.is_binary(column.type):
        yield _numbers(pc.call_function("binary_length", [column]))
        yield b"".join(column.drop_null().to_pylist())
    else:
        numbers = column.cast(pa.int64())
        yield np.packbits(numbers.is_null().to_numpy(zero_copy_only=False)).tobytes()
        yield numbers.fill_null(0).to_numpy().tobytes()


def _numbers(lengths: Array) -> bytes:
    return lengths.cast(pa.int64()).fill_null(-1).to_numpy().tobytes()


def _fetch(cursor: Any, number: int) -> list[tuple[Any, ...]]:
    """Return the rows of a batch, fetched `number` at a time."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while len(rows) < BATCH_ROWS and size < BATCH_BYTES:
        fetched = cursor.fetchmany(min(number, BATCH_ROWS - len(rows)))
        if not fetched:
            break
        rows += fetched
        size += sum([len(row[3] or b"") + len(row[4] or b"") for row in fetched])
    return rows


def _times(sent: Sequence[bytes | None]) -> Array:
    null = np.array([time is None for time in sent])
    joined = b"".join([time or bytes(8) for time in sent])
    return pa.array(binary_columns.times(joined), pa.int64(), mask=null).cast(_TIME)
