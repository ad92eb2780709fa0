"""How many readings a batch adds, by the clock: written with them, so that counts are exact."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from traffic_platform.ingest import copy_binary as pg

SPAN_US = 10_000_000


def encode_changes(timestamps_us: npt.NDArray[np.int64]) -> bytes | None:
    """New readings of these times as rows of traffic.reading_changes, a COPY stream.

    None without any.
    """
    if len(timestamps_us) == 0:
        return None
    spans, added = np.unique(timestamps_us // SPAN_US, return_counts=True)
    return pg.encode_rows(len(spans), (pg.timestamps(spans * SPAN_US), pg.integers(added, 8)))
