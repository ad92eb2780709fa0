"""Provenance of a batch's messages, and the latest event of each (sensor, time)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic_platform.events.columns import Processed
from traffic_platform.kafka.messages import MISSING_TIMESTAMP

Ints = npt.NDArray[np.int64]
_MINUS_INFINITY = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Provenance:
    """The source of each message, one entry a message."""

    topic_no: Ints
    partition: Ints
    offset: Ints
    broker_us: Ints
    order_us: Ints  # see `order_times`


def order_times(broker_us: Ints, ingested_at_us: int | Ints) -> Ints:
    """Return the times that order repeats: broker times clamped to arrival; missing ones first."""
    clamped = np.minimum(broker_us, ingested_at_us)
    return np.where(broker_us == MISSING_TIMESTAMP, _MINUS_INFINITY, clamped)


def deduplicate(events: Processed, source: Provenance) -> tuple[Ints, Ints]:
    """Keep the latest event of each (sensor, time) of a batch.

    Returns the rows of the winners in the order of (sensor, time), and the superseded rows whose
    measures differ from their winner's. Events are ordered by (order time, topic_no, partition,
    offset, event_no): the sort is stable, and the events of a message come in their order.
    """
    halves = events.sensor_id.view(">u8").reshape(-1, 2)
    rows = events.index
    order = np.lexsort(
        (
            source.offset[rows],
            source.partition[rows],
            source.topic_no[rows],
            source.order_us[rows],
            events.timestamp_us,
            halves[:, 1],
            halves[:, 0],
        )
    )
    same_key = (
        (halves[order[1:], 0] == halves[order[:-1], 0])
        & (halves[order[1:], 1] == halves[order[:-1], 1])
        & (events.timestamp_us[order[1:]] == events.timestamp_us[order[:-1]])
    )
    last = np.append(~same_key, True)[: len(order)]
    superseded = np.flatnonzero(~last)
    ends = np.flatnonzero(last)
    winner = order[ends[np.searchsorted(ends, superseded)]]
    loser = order[superseded]
    return order[last], loser[_measures_differ(events, loser, winner)]


def _measures_differ(events: Processed, one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
    differ = np.zeros(len(one), dtype=np.bool_)
    for column in (*events.measures, events.quality_score):
        a, b = column[one], column[other]
        differ |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differ
