"""Columns that PostgreSQL sends as one byte string each (`string_agg` of `…send`), big endian.

numpy reads such a column in one call, where COPY delivers it row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01 UTC, the platform from 1970-01-01."""

Ints = npt.NDArray[np.int64]


def integers(sent: bytes, kind: str) -> Ints:
    """Return integers sent as numpy's `kind`, for example ">i2"."""
    return np.frombuffer(sent, kind).astype(np.int64)


def times(sent: bytes) -> Ints:
    """Return microseconds since 1970 UTC."""
    return integers(sent, ">i8") + PG_EPOCH_US


def uuids(sent: bytes) -> npt.NDArray[np.uint8]:
    """Return UUIDs as (n, 16) bytes."""
    return np.frombuffer(sent, np.uint8).reshape(-1, 16)


def measures(sent: bytes, kind: str, null: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return numbers as floats, NaN where `null` is not 0."""
    values = np.frombuffer(sent, kind).astype(np.float64)
    values[null != 0] = np.nan
    return values
