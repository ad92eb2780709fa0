"""Columns that PostgreSQL sends as one byte string each (`string_agg` of `…send`), big endian.

numpy reads such a column in one call, where COPY delivers it row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from traffic_platform.events.measures import MEASURES, Floats, Measures

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01 UTC, the platform from 1970-01-01."""

Ints = npt.NDArray[np.int64]


def integers(sent: bytes, kind: str) -> Ints:
    """Return integers sent as numpy's `kind`, for example ">i2"."""
    return np.frombuffer(sent, kind).astype(np.int64)


def times(sent: bytes) -> Ints:
    """Return microseconds since 1970 UTC."""
    return integers(sent, ">i8") + PG_EPOCH_US


def optional_times(sent: Iterable[bytes | None], missing: int) -> npt.NDArray[np.int64]:
    """Return times, one byte string each, in microseconds since 1970 UTC; null is `missing`."""
    null = (missing - PG_EPOCH_US).to_bytes(8, "big", signed=True)
    return times(b"".join([null if time is None else time for time in sent]))


def uuids(sent: bytes) -> npt.NDArray[np.uint8]:
    """Return UUIDs as (n, 16) bytes."""
    return np.frombuffer(sent, np.uint8).reshape(-1, 16)


def doubles(sent: bytes) -> Floats:
    """Return numbers of the type double precision."""
    return np.frombuffer(sent, ">f8").astype(np.float64)


def measures(
    sent: Sequence[bytes], null: bytes, convert: Callable[[Floats], Floats] = lambda stored: stored
) -> Measures:
    """Return a byte string of each measure as columns; null is NaN.

    Bit n of the integers in `null` marks a null of measure n. Stored values go through `convert`.
    """
    nulls = integers(null, ">i2")
    columns: list[Floats] = []
    for number, (measure, data) in enumerate(zip(MEASURES, sent, strict=True)):
        kind = ">i4" if measure.sql_type == "integer" else ">f8"
        values = convert(np.frombuffer(data, kind).astype(np.float64))
        values[nulls & 1 << number != 0] = np.nan
        columns.append(values)
    return Measures(*columns)
