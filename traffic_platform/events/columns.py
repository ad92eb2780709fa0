"""Events as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic_platform.events.reasons import Reason

FLAT = 1
NESTED = 2


@dataclass(frozen=True)
class Candidates:
    """Events whose values may still be outside what is possible, one entry each.

    `sensors` holds the ids as they were sent, `sensor_id` (n, 16) their UUIDs, `reported` the
    scores that events say themselves. Null is NaN; times are microseconds since 1970 UTC.
    """

    index: npt.NDArray[np.int64]
    sensors: list[str | int]
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: npt.NDArray[np.int64]
    speed: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    occupancy: npt.NDArray[np.float64]
    reported: npt.NDArray[np.float64]
    format: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: npt.NDArray[np.int64]) -> Candidates:
        """The entries at `rows`."""
        return Candidates(
            index=self.index[rows],
            sensors=[self.sensors[row] for row in rows.tolist()],
            sensor_id=self.sensor_id[rows],
            timestamp_us=self.timestamp_us[rows],
            speed=self.speed[rows],
            volume=self.volume[rows],
            occupancy=self.occupancy[rows],
            reported=self.reported[rows],
            format=self.format[rows],
        )


@dataclass(frozen=True)
class Processed:
    """Events, one entry each. Null measures are NaN; times are microseconds since 1970 UTC.

    `index` is the event's position in what was decoded, ascending; `sensor_id` has shape (n, 16),
    speed is in miles per hour, volume in vehicles per hour (whole numbers), occupancy in percent.
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
    """A message that is no event: its position, why, and its event time where that could be read.

    `detail` is at most 200 characters, without NUL and lone surrogates.
    """

    index: int
    reason: Reason
    detail: str
    timestamp_us: int | None = None


@dataclass(frozen=True)
class Decoded:
    """What a batch of messages turned into: each is in exactly one of the two.

    `quarantined` is in the order of the messages; `sensors` names the external id of every sensor
    in `processed`, by the bytes of its UUID.
    """

    processed: Processed
    quarantined: list[Quarantined]
    sensors: dict[bytes, str]
