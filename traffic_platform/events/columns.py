"""Events as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from traffic_platform.events.measures import Floats, Measures
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.texts import LONGEST_DETAIL, shorten

Rows = npt.NDArray[np.int64]
EVENT_NO: Final = 0
"""The position of an event in its message. Today a message holds one event."""


@dataclass(frozen=True)
class Candidates:
    """Events whose values may still be out of range, one entry each.

    `sensors` holds the ids as they were sent, `sensor_id` (n, 16) their UUIDs, `reported` the
    scores that the events report. Null is NaN; times are microseconds since 1970 UTC.
    """

    index: npt.NDArray[np.int64]
    sensors: list[str | int]
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: npt.NDArray[np.int64]
    measures: Measures
    reported: Floats
    format: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: Rows) -> Candidates:
        """Return the entries at `rows`."""
        return Candidates(
            index=self.index[rows],
            sensors=[self.sensors[row] for row in rows.tolist()],
            sensor_id=self.sensor_id[rows],
            timestamp_us=self.timestamp_us[rows],
            measures=self.measures.apply(lambda column: column[rows]),
            reported=self.reported[rows],
            format=self.format[rows],
        )


@dataclass(frozen=True)
class Processed:
    """Valid events, one entry each. Null measures are NaN; times are microseconds since 1970 UTC.

    `index` is the position of the event's message in the batch, ascending. `sensor_id` has shape
    (n, 16). Measures have the units of MEASURES; those with `decimals` are rounded.
    """

    index: npt.NDArray[np.int64]
    sensor_id: npt.NDArray[np.uint8]
    timestamp_us: npt.NDArray[np.int64]
    measures: Measures
    quality_score: Floats
    quality_flags: npt.NDArray[np.int16]
    format: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: Rows) -> Processed:
        """Return the entries at `rows`."""
        return Processed(
            index=self.index[rows],
            sensor_id=self.sensor_id[rows],
            timestamp_us=self.timestamp_us[rows],
            measures=self.measures.apply(lambda column: column[rows]),
            quality_score=self.quality_score[rows],
            quality_flags=self.quality_flags[rows],
            format=self.format[rows],
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Processed]) -> Processed:
        """Return the entries of all parts, in their order."""
        return cls(
            index=np.concatenate([part.index for part in parts]),
            sensor_id=np.concatenate([part.sensor_id for part in parts]),
            timestamp_us=np.concatenate([part.timestamp_us for part in parts]),
            measures=Measures.concatenate([part.measures for part in parts]),
            quality_score=np.concatenate([part.quality_score for part in parts]),
            quality_flags=np.concatenate([part.quality_flags for part in parts]),
            format=np.concatenate([part.format for part in parts]),
        )


@dataclass(frozen=True)
class Quarantined:
    """A rejected message: its position, the reason, and its event time where that is readable.

    `detail` is at most 200 characters, without NUL and lone surrogates.
    """

    index: int
    reason: Reason
    detail: str
    timestamp_us: int | None = None

    @classmethod
    def of(cls, index: int, rejection: Rejection) -> Quarantined:
        """Return the entry of a rejection, whose traceback would keep the message alive."""
        detail = shorten(rejection.detail, LONGEST_DETAIL)
        return cls(index, rejection.reason, detail, rejection.timestamp_us)


@dataclass(frozen=True)
class Decoded:
    """The events of a batch, and the messages that are rejected, in the order of messages.

    `sent_sensors` has the id of each event as its message spells it. `sensors` has the external id
    of every sensor in `processed`, by the bytes of its UUID.
    """

    processed: Processed
    sent_sensors: list[str | int]
    quarantined: list[Quarantined]
    sensors: dict[bytes, str]
