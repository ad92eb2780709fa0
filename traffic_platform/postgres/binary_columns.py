"""Columns that PostgreSQL sends as one string of bytes each (`string_agg` of `…send`), big endian.

COPY would hand them over row by row; these numpy reads in one go.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01 UTC, we from 1970-01-01."""

Ints = npt.NDArray[np.int64]


def integers(sent: bytes, kind: str) -> Ints:
    """Integers of numpy's `kind`, ">i2" for example."""
    return np.frombuffer(sent, kind).astype(np.int64)


def times(sent: bytes) -> Ints:
    """Microseconds since 1970 UTC."""
    return integers(sent, ">i8") + PG_EPOCH_US


def uuids(sent: bytes) -> npt.NDArray[np.uint8]:
    """UUIDs as (n, 16) bytes."""
    return np.frombuffer(sent, np.uint8).reshape(-1, 16)


def measures(sent: bytes, kind: str, null: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Numbers as floats, NaN where `null` is not 0."""
    values = np.frombuffer(sent, kind).astype(np.float64)
    values[null != 0] = np.nan
    return values
