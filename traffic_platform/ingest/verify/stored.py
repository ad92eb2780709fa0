"""What the tables hold of one log, in the order of offsets and in bounded pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from traffic_platform.ingest.fetch import MISSING_TIMESTAMP
from traffic_platform.ingest.verify.ledger import Log
from traffic_platform.ingest.verify.snapshot import Connection
from traffic_platform.statements import statement

CHUNK_MESSAGES = 20_000
CHUNK_BYTES = 32 * 1024 * 1024
_FETCH_ROWS = 250  # at a time, so that a run of megabyte messages stays bounded, too

Ints = npt.NDArray[np.int64]
Headers = list[bytes | None]

_PG_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01, we from 1970-01-01
_NO_TIME = (MISSING_TIMESTAMP - _PG_EPOCH_US).to_bytes(8, "big", signed=True)

# COPY's binary format: int16 number of fields, then per field an int32 length and the value.
_COPY_HEADER, _COPY_TRAILER = 19, 2
_PROCESSED = np.dtype(
    [("fields", ">i2")]
    + [
        item
        for name, kind in (
            ("offset", ">i8"),
            ("sensor_id", "(16,)u1"),
            ("timestamp", ">i8"),
            ("speed", ">f8"),
            ("volume", ">i4"),
            ("occupancy", ">f8"),
            ("quality_score", ">f8"),
            ("quality_flags", ">i2"),
            ("format", ">i2"),
            ("nulls", ">i2"),
        )
        for item in ((f"{name}_length", ">i4"), (name, kind))
    ]
)


@dataclass(frozen=True)
class RawChunk:
    """The rows of `raw_events` with `begin` <= offset < `end` of a log, each offset once.

    Times are microseconds since 1970-01-01 UTC, MISSING_TIMESTAMP for null.
    """

    begin: int
    end: int
    offset: Ints
    values: Sequence[bytes | None]
    keys: Sequence[bytes | None]
    headers: Sequence[Headers | None]
    broker_us: Ints
    ingested_us: Ints

    def __len__(self) -> int:
        return len(self.offset)


@dataclass(frozen=True)
class Outcomes:
    """Events as columns, as in events.columns.Processed, with their offsets."""

    offset: Ints
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: Ints
    speed: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    occupancy: npt.NDArray[np.float64]
    quality_score: npt.NDArray[np.float64]
    quality_flags: npt.NDArray[np.int16]
    format: npt.NDArray[np.int16]


def raw_chunks(connection: Connection, log: Log) -> Iterator[RawChunk]:
    """All of a log's raw rows; the chunks' ranges tile [start_offset, next_offset)."""
    begin = log.start_offset
    with connection.cursor(name="verify_raw") as cursor:
        cursor.execute(statement("verify/raw_log"), vars(log), binary=True)
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
    if begin < log.next_offset:
        yield _raw_chunk(begin, log.next_offset, [])


def processed_range(connection: Connection, log: Log, begin: int, end: int) -> Outcomes:
    """The rows of `processed_events` with `begin` <= offset < `end`."""
    parameters = {"topic_no": log.topic_no, "partition": log.partition, "begin": begin, "end": end}
    with connection.cursor().copy(statement("verify/processed_range"), parameters) as copy:
        stream = b"".join(copy)
    rows = np.frombuffer(stream[_COPY_HEADER:-_COPY_TRAILER], dtype=_PROCESSED)
    return Outcomes(
        offset=rows["offset"].astype(np.int64),
        sensor_id=rows["sensor_id"],
        timestamp_us=rows["timestamp"].astype(np.int64) + _PG_EPOCH_US,
        speed=_measure(rows["speed"], rows["nulls"] & 1),
        volume=_measure(rows["volume"], rows["nulls"] & 2),
        occupancy=_measure(rows["occupancy"], rows["nulls"] & 4),
        quality_score=_measure(rows["quality_score"], np.zeros(len(rows))),
        quality_flags=rows["quality_flags"].astype(np.int16),
        format=rows["format"].astype(np.int16),
    )


def quarantined_range(
    connection: Connection, log: Log, begin: int, end: int
) -> dict[int, tuple[str, str]]:
    """(reason, detail) by offset of what is in quarantine with `begin` <= offset < `end`."""
    parameters = {"topic_no": log.topic_no, "partition": log.partition, "begin": begin, "end": end}
    rows = connection.execute(statement("verify/quarantined_range"), parameters).fetchall()
    return {offset: (reason, detail) for offset, reason, detail in rows}


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
    offset, values, keys, headers, broker, ingested = zip(*rows, strict=True) if rows else [()] * 6
    return RawChunk(
        begin=begin,
        end=end,
        offset=np.array(offset, dtype=np.int64),
        values=values,
        keys=keys,
        headers=headers,
        broker_us=_times(broker),
        ingested_us=_times(ingested),
    )


def _times(sent: Sequence[bytes | None]) -> Ints:
    joined = b"".join([_NO_TIME if time is None else time for time in sent])
    return np.frombuffer(joined, dtype=">i8").astype(np.int64) + _PG_EPOCH_US


def _measure(values: npt.NDArray[Any], null: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Null as NaN; a stored NaN, which no event makes, as infinity, so that it stays different."""
    measures = values.astype(np.float64)
    measures[np.isnan(measures)] = np.inf
    measures[null != 0] = np.nan
    return measures
