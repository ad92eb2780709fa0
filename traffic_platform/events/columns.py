"""Events as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic_platform.events.reasons import Reason

FLAT = 1
NESTED = 2


@dataclass(frozen=True)
class Processed:
    """Events, one entry each. Null measures are NaN; times are microseconds since 1970 UTC.

    `index` is the event's position in what was decoded, `sensor_id` has shape (n, 16), speed is in
    miles per hour, volume in vehicles per hour (whole numbers), occupancy in percent.
    """

    index: npt.NDArray[np.int64]
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: npt.NDArray[np.int64]
    speed: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    occupancy: npt.NDArray[np.float64]
    quality_score: npt.NDArray[np.float64]
    quality_flags: npt.NDArray[np.int16]
    format: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Quarantined:
    """A message that is no event: its position, why, and its event time where it could be read."""

    index: int
    reason: Reason
    detail: str
    timestamp_us: int | None = None


@dataclass(frozen=True)
class Decoded:
    """What a batch of messages turned into: each is in exactly one of the two.

    `sensors` names the external id of every sensor in `processed`, by the bytes of its UUID.
    """

    processed: Processed
    quarantined: list[Quarantined]
    sensors: dict[bytes, str]
