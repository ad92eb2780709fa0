"""The latest event of each (sensor, time) of a batch."""

from __future__ import annotations

import numpy as np

from traffic_platform.event_tables.order_times import Ints, Provenance
from traffic_platform.events.columns import Processed


def deduplicate(events: Processed, source: Provenance) -> Ints:
    """Keep the latest event of each (sensor, time) of a batch.

    Returns the rows of the winners in the order of (sensor, time). Events are ordered by (order
    time, topic_no, partition, offset, event_no): the sort is stable, and the events of a message
    come in their order.
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
    return order[np.append(~same_key, True)[: len(order)]]
