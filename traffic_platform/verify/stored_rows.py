"""Stored rows of one generation, in the order of offsets and in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from traffic_platform.event_tables.order_times import stored_order_times
from traffic_platform.events.columns import EVENT_NO, Processed
from traffic_platform.events.measures import Floats, Measures
from traffic_platform.kafka.messages import MISSING_TIMESTAMP
from traffic_platform.postgres import binary_columns as columns
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.ledger_sums import PartitionGeneration

CHUNK_MESSAGES = 20_000
CHUNK_BYTES = 32 * 1024 * 1024
_FETCH_ROWS = 250  # at a time, so that consecutive megabyte messages stay bounded, too

Ints = npt.NDArray[np.int64]
Headers = list[bytes | None]
EventKey = tuple[int, int]  # offset, event_no
Quarantine = dict[EventKey, tuple[str, str]]  # (reason, detail) by event


@dataclass(frozen=True)
class RawChunk:
    """The rows of `raw_events` of a generation with `begin` <= offset < `end`, each once.

    Times are microseconds since 1970-01-01 UTC, MISSING_TIMESTAMP for null. `clamped_us` is the
    broker timestamp, at most the arrival.
    """

    begin: int
    end: int
    offset: Ints
    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]
    headers: Sequence[Headers | None]
    broker_us: Ints
    ingested_us: Ints
    clamped_us: Ints
    order_us: Ints

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: list[int]) -> RawChunk:
        """Return the messages at `rows`, with the same range."""
        return RawChunk(
            begin=self.begin,
            end=self.end,
            offset=self.offset[rows],
            values=[self.values[row] for row in rows],
            keys=[self.keys[row] for row in rows],
            headers=[self.headers[row] for row in rows],
            broker_us=self.broker_us[rows],
            ingested_us=self.ingested_us[rows],
            clamped_us=self.clamped_us[rows],
            order_us=self.order_us[rows],
        )


@dataclass(frozen=True)
class Outcomes:
    """Events as columns, as in events.columns.Processed, with their offsets."""

    offset: Ints
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: Ints
    measures: Measures
    quality_score: npt.NDArray[np.float64]
    quality_flags: npt.NDArray[np.int16]
    format: npt.NDArray[np.int16]
    event_no: npt.NDArray[np.int16]
    interval_s: npt.NDArray[np.float64]

    @classmethod
    def of(cls, events: Processed, offset: Ints) -> Outcomes:
        """Return decoded events; `offset` has an entry for each message of their batch."""
        return cls(
            offset=offset[events.index],
            sensor_id=events.sensor_id,
            timestamp_us=events.timestamp_us,
            measures=events.measures,
            quality_score=events.quality_score,
            quality_flags=events.quality_flags,
            format=events.format,
            event_no=np.full(len(events), EVENT_NO, dtype=np.int16),
            interval_s=np.full(len(events), np.nan),
        )

    def columns(self) -> list[npt.NDArray[Any]]:
        """All columns, measure by measure."""
        return [
            *(self.offset, self.sensor_id, self.timestamp_us, *self.measures),
            *(self.quality_score, self.quality_flags, self.format),
            *(self.event_no, self.interval_s),
        ]

    def take(self, rows: npt.NDArray[Any]) -> Outcomes:
        """Return some of the rows, by mask or position."""
        return Outcomes(
            offset=self.offset[rows],
            sensor_id=self.sensor_id[rows],
            timestamp_us=self.timestamp_us[rows],
            measures=self.measures.apply(lambda column: column[rows]),
            quality_score=self.quality_score[rows],
            quality_flags=self.quality_flags[rows],
            format=self.format[rows],
            event_no=self.event_no[rows],
            interval_s=self.interval_s[rows],
        )


def raw_chunks(connection: Connection, generation: PartitionGeneration) -> Iterator[RawChunk]:
    """Yield all raw rows of a generation. The ranges tile [start_offset, next_offset)."""
    begin = generation.start_offset
    with connection.cursor(name="verify_raw") as cursor:
        cursor.execute(statement("verify/raw_log"), vars(generation), binary=True)
        while rows := _fetch_chunk(cursor):
            # A doubled row is named by the check of the tables; here its first copy counts.
            rows = [
                row
                for row, before in zip(rows, [None, *rows], strict=False)
                if row[0] >= begin and (before is None or row[0] != before[0])
            ]
            if rows:
                yield _raw_chunk(begin, rows[-1][0] + 1, rows)
                begin = rows[-1][0] + 1
    if begin < generation.next_offset:
        yield _raw_chunk(begin, generation.next_offset, [])


def processed_range(
    connection: Connection, generation: PartitionGeneration, begin: int, end: int
) -> tuple[Outcomes, Ints]:
    """Return rows of `processed_events` with `begin` <= offset < `end`, and their batches."""
    parameters = generation.numbers | {"begin": begin, "end": end}
    row = connection.execute(
        statement("verify/processed_range"), parameters, binary=True
    ).fetchone()
    assert row is not None
    (
        offset,
        sensor_id,
        timestamp,
        *sent,
        score,
        flags,
        form,
        null,
        batch_id,
        number,
        interval,
        no_interval,
    ) = row
    outcomes = Outcomes(
        offset=columns.integers(offset, ">i8"),
        sensor_id=columns.uuids(sensor_id),
        timestamp_us=columns.times(timestamp),
        measures=columns.measures(sent, null, _nan_as_infinity),
        quality_score=_nan_as_infinity(columns.doubles(score)),
        quality_flags=np.frombuffer(flags, ">i2").astype(np.int16),
        format=np.frombuffer(form, ">i2").astype(np.int16),
        event_no=np.frombuffer(number, ">i2").astype(np.int16),
        interval_s=np.where(
            columns.integers(no_interval, ">i2") != 0,
            np.nan,
            _nan_as_infinity(columns.doubles(interval)),
        ),
    )
    return outcomes, columns.integers(batch_id, ">i8")


def quarantined_range(
    connection: Connection, generation: PartitionGeneration, begin: int, end: int
) -> tuple[Quarantine, dict[EventKey, str]]:
    """Return (reason, detail) of unresolved messages with `begin` <= offset < `end`, by event.

    The second result holds the rules of messages that a reprocessing or backfill decided again.
    """
    parameters = generation.numbers | {"begin": begin, "end": end}
    rows = connection.execute(statement("verify/quarantined_range"), parameters).fetchall()
    return (
        {(offset, number): (reason, detail) for offset, number, reason, detail, _ in rows},
        {(offset, number): rules for offset, number, _, _, rules in rows if rules is not None},
    )


def _fetch_chunk(cursor: Any) -> list[tuple[Any, ...]]:
    chunk: list[tuple[Any, ...]] = []
    size = 0
    while len(chunk) < CHUNK_MESSAGES and size < CHUNK_BYTES:
        rows = cursor.fetchmany(_FETCH_ROWS)
        if not rows:
            break
        chunk += rows
        size += sum([len(row[1]) for row in rows if row[1] is not None])
    return chunk


def _raw_chunk(begin: int, end: int, rows: list[tuple[Any, ...]]) -> RawChunk:
    offset, values, keys, headers, *sent = zip(*rows, strict=True) if rows else [()] * 7
    broker_us, ingested_us, order_us = (
        columns.optional_times(times, MISSING_TIMESTAMP) for times in sent
    )
    clamped_us, order_us = stored_order_times(order_us, broker_us, ingested_us)
    return RawChunk(
        begin=begin,
        end=end,
        offset=np.array(offset, dtype=np.int64),
        values=values,
        keys=keys,
        headers=headers,
        broker_us=broker_us,
        ingested_us=ingested_us,
        clamped_us=clamped_us,
        order_us=order_us,
    )


def _nan_as_infinity(stored: Floats) -> Floats:
    """Return a stored NaN, which no event gives, as infinity, so that it differs from a null."""
    return np.where(np.isnan(stored), np.inf, stored)
