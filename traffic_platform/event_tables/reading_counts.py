"""Numbers of added readings per 10 seconds, written with the readings so that counts are exact."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from traffic_platform.postgres import copy_binary as pg
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

SPAN_US = 10_000_000
_CORRECTION_LOCK = 7_204_511_004  # one correction at a time in a database


def encode_changes(timestamps_us: npt.NDArray[np.int64]) -> bytes | None:
    """Encode new readings of these times as rows of traffic.reading_changes.

    Returns a COPY stream, None without any row.
    """
    if len(timestamps_us) == 0:
        return None
    spans, added = np.unique(timestamps_us // SPAN_US, return_counts=True)
    return pg.encode_rows(len(spans), (pg.timestamps(spans * SPAN_US), pg.integers(added, 8)))


def correct_counts(connection: Connection, first: datetime, until: datetime) -> None:
    """Count the readings from `first` to before `until`, and append the missing counts.

    Call it in a READ COMMITTED transaction; other corrections wait for its end. Raises
    psycopg.Error.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (_CORRECTION_LOCK,))
    bounds = {"first": first, "until": until}
    connection.execute(statement("event_tables/correct_reading_counts"), bounds)
