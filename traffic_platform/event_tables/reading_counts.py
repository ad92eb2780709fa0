"""How many readings a batch adds, by the clock: written with them, so that counts are exact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from traffic_platform.postgres import copy_binary as pg
from traffic_platform.statements import statement

SPAN_US = 10_000_000
_CORRECTING = 7_204_511_004  # one at a time per database


def encode_changes(timestamps_us: npt.NDArray[np.int64]) -> bytes | None:
    """New readings of these times as rows of traffic.reading_changes, a COPY stream.

    None without any.
    """
    if len(timestamps_us) == 0:
        return None
    spans, added = np.unique(timestamps_us // SPAN_US, return_counts=True)
    return pg.encode_rows(len(spans), (pg.timestamps(spans * SPAN_US), pg.integers(added, 8)))


def correct_counts(connection: psycopg.Connection[Any], first: datetime, until: datetime) -> None:
    """Count what is there from `first` to before `until`, and append what the counts miss.

    In a READ COMMITTED transaction of the caller, to whose end nobody else corrects. Raises
    psycopg.Error.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_CORRECTING,))
    bounds = {"first": first, "until": until}
    connection.execute(statement("event_tables/correct_reading_counts"), bounds)
