"""Stored messages as columns: from raw, from quarantine, from the archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.order_times import stored_order_times
from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.postgres import binary_columns
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

CHUNK_MESSAGES = 20_000
CHUNK_BYTES = 32 * 1024 * 1024
_FETCH_ROWS = 1_000  # at a time, so that consecutive megabyte messages stay bounded, too

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Messages:
    """Stored messages, one entry each; times in microseconds since 1970 UTC.

    `clamped_us` is the broker timestamp, at most the arrival; `order_us` is never below it.
    """

    topic_no: Ints
    partition: Ints
    offset: Ints
    batch_id: Ints
    broker_us: Ints
    arrival_us: Ints
    clamped_us: Ints
    order_us: Ints
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: Ints) -> Messages:
        """Return the entries at `rows`."""
        return Messages(
            topic_no=self.topic_no[rows],
            partition=self.partition[rows],
            offset=self.offset[rows],
            batch_id=self.batch_id[rows],
            broker_us=self.broker_us[rows],
            arrival_us=self.arrival_us[rows],
            clamped_us=self.clamped_us[rows],
            order_us=self.order_us[rows],
            keys=[self.keys[row] for row in rows.tolist()],
            values=[self.values[row] for row in rows.tolist()],
        )


def read_messages(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> Iterator[Messages]:
    """Yield the messages that a statement finds, in pieces of bounded size."""
    with connection.cursor(name="stored_messages") as cursor:
        cursor.execute(statement(name), parameters, binary=True)
        while True:
            rows: list[tuple[Any, ...]] = []
            size = 0
            while len(rows) < CHUNK_MESSAGES and size < CHUNK_BYTES:
                some = cursor.fetchmany(_FETCH_ROWS)
                if not some:
                    break
                rows += some
                size += sum([len(row[-1]) for row in some if row[-1] is not None])
            if not rows:
                return
            yield _messages(rows)


def fetch_messages(
    connection: Connection, name: LiteralString, parameters: Mapping[str, object]
) -> Messages:
    """Return all messages that a statement finds."""
    return _messages(connection.execute(statement(name), parameters, binary=True).fetchall())


def _messages(rows: list[tuple[Any, ...]]) -> Messages:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    topic_no, partition, offset, batch_id, broker, arrival, order, keys, values = columns
    return _ordered(
        topic_no=np.array(topic_no, dtype=np.int64),
        partition=np.array(partition, dtype=np.int64),
        offset=np.array(offset, dtype=np.int64),
        batch_id=np.array(batch_id, dtype=np.int64),
        broker_us=binary_columns.optional_times(broker, MISSING_TIMESTAMP),
        arrival_us=binary_columns.optional_times(arrival, MISSING_TIMESTAMP),
        stored_us=binary_columns.optional_times(order, MISSING_TIMESTAMP),
        keys=keys,
        values=values,
    )


def _ordered(*, stored_us: Ints, broker_us: Ints, arrival_us: Ints, **columns: Any) -> Messages:
    """Return messages with these columns. `stored_us` is MISSING_TIMESTAMP for null."""
    clamped_us, order_us = stored_order_times(stored_us, broker_us, arrival_us)
    return Messages(
        broker_us=broker_us,
        arrival_us=arrival_us,
        clamped_us=clamped_us,
        order_us=order_us,
        **columns,
    )


def archived_messages(
    connection: Connection, folder: Path | None, first: datetime, last: datetime
) -> Iterator[Messages]:
    """Yield archived messages of the UTC days from `first` to `last` that raw does not hold.

    Raises ArchiveError where a file was altered or damaged.
    """
    # pyarrow is slow to import, and most platforms have no archive.
    from traffic_platform.archive import archived_parts, read_archived_day  # noqa: PLC0415

    if folder is None:
        return
    day, end = first.astimezone(UTC).date(), last.astimezone(UTC).date()
    while day <= end:
        if archived_parts(folder, day) and not _holds(connection, day):
            for batch in read_archived_day(folder, day, rows=CHUNK_MESSAGES):
                yield _archived(batch)
        day += timedelta(days=1)


def _holds(connection: Connection, day: date) -> bool:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    row = connection.execute(
        "select exists (select from traffic.raw_events"
        " where ingested_at >= %s and ingested_at < %s)",
        (begin, begin + timedelta(days=1)),
    ).fetchone()
    return bool(row and row[0])


def _archived(batch: Any) -> Messages:
    def integers(name: str) -> Ints:
        return batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64)

    def times(name: str) -> Ints:
        if name not in batch.schema.names:  # files of version 0.1.0 have no order times
            return np.full(batch.num_rows, MISSING_TIMESTAMP)
        column = batch.column(name).to_numpy(zero_copy_only=False).astype("datetime64[us]")
        return np.where(np.isnat(column), MISSING_TIMESTAMP, column.astype(np.int64))

    return _ordered(
        topic_no=integers("topic_no"),
        partition=integers("partition"),
        offset=integers("offset"),
        batch_id=integers("batch_id"),
        broker_us=times("broker_timestamp"),
        arrival_us=times("ingested_at"),
        stored_us=times("order_time"),
        keys=batch.column("key").to_pylist(),
        values=batch.column("value").to_pylist(),
    )
