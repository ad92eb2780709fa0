"""Decoding of stored messages of many batches, each by its own arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from traffic_platform.events.columns import Decoded, Processed
from traffic_platform.events.decode import Decoder
from traffic_platform.events.domain import AHEAD_US
from traffic_platform.events.sensor_ids import is_canonical_uuid

Ints = npt.NDArray[np.int64]


def decode_by_arrival(
    decoder: Decoder, values: Sequence[bytes | None], ingested_us: Ints
) -> Decoded:
    """Decode messages that arrived at `ingested_us`, in runs of equal arrival.

    Many batches of a few messages each would be slow. So all messages are decoded by the last
    arrival, and once more arrival by arrival if an event is ahead of its own arrival.
    """
    whole = decoder.decode(values, int(ingested_us.max(initial=0)))
    if not _any_ahead(whole, ingested_us):
        return whole
    arrivals = np.flatnonzero(np.diff(ingested_us)) + 1
    bounds = list(pairwise([0, *arrivals.tolist(), len(values)]))
    return _joined(
        [decoder.decode(values[begin:end], int(ingested_us[begin])) for begin, end in bounds],
        [begin for begin, _ in bounds],
    )


def _any_ahead(decoded: Decoded, ingested_us: Ints) -> bool:
    """Return true if an event is later than its own arrival allows."""
    events = decoded.processed
    return bool((events.timestamp_us > ingested_us[events.index] + AHEAD_US).any()) or any(
        item.timestamp_us > int(ingested_us[item.index]) + AHEAD_US
        for item in decoded.quarantined
        if item.timestamp_us is not None
    )


def _joined(runs: list[Decoded], starts: list[int]) -> Decoded:
    parts = [
        replace(run.processed, index=run.processed.index + start)
        for run, start in zip(runs, starts, strict=True)
    ]
    names: dict[bytes, str] = {}
    for run in runs:
        # As in one batch, the name that a feed uses tells more than the UUID that it maps to.
        names |= {
            key: name
            for key, name in run.sensors.items()
            if key not in names or not is_canonical_uuid(name)
        }
    return Decoded(
        processed=Processed.concatenate(parts),
        sent_sensors=[sensor for run in runs for sensor in run.sent_sensors],
        quarantined=[
            replace(item, index=item.index + start)
            for run, start in zip(runs, starts, strict=True)
            for item in run.quarantined
        ],
        sensors=names,
    )
