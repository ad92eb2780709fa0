"""Decoding messages of many batches again, each judged by its own arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
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

    Batches of a few messages would be dear one by one; so all are decoded by the last arrival, and
    only where an event is so far ahead that its arrival matters, again arrival by arrival.
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
    """Whether an event is later than its own arrival allows, whatever the last arrival allows."""
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
        # As in a decoder's batch, the name that a feed uses tells more than the UUID it maps to.
        names |= {
            key: name
            for key, name in run.sensors.items()
            if key not in names or not is_canonical_uuid(name)
        }
    return Decoded(
        processed=Processed(
            **{
                field.name: np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(Processed)
            }
        ),
        quarantined=[
            replace(item, index=item.index + start)
            for run, start in zip(runs, starts, strict=True)
            for item in run.quarantined
        ],
        sensors=names,
    )
