"""Processed events as flat messages; the same event always gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from traffic_platform.events.measures import MEASURES
from traffic_platform.publish.rows import Events

_SECOND_US = 1_000_000
_MOST_REMEMBERED = 100_000
_TEMPLATE = (
    '{"sensor_id":"%s","timestamp":"%sZ",'
    + "".join(f'"{measure.name}":%s,' for measure in MEASURES)
    + '"quality_score":%s}'
)


@dataclass(frozen=True)
class Encoded:
    """Messages in the order of their events. The key is the sensor's UUID as text."""

    keys: list[bytes]
    values: list[bytes]


class Encoder:
    """Encode events; remembers the text of sensors' UUIDs."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}

    def encode(self, events: Events) -> Encoded:
        """Encode `{"sensor_id", "timestamp", "speed", "volume", "occupancy", "quality_score"}`.

        The sensor is a UUID, volume an integer, and the time ISO 8601 in UTC with Z, with
        microseconds unless they are 0. A missing measure is null.
        """
        sensors = self._sensors(events.sensor_id)
        columns = zip(
            sensors,
            _times(events.timestamp_us),
            *(
                _numbers(column, whole=measure.sql_type == "integer")
                for measure, column in zip(MEASURES, events.measures, strict=True)
            ),
            events.quality_score.tolist(),
            strict=True,
        )
        values = [(_TEMPLATE % row).encode() for row in columns]
        return Encoded([sensor.encode() for sensor in sensors], values)

    def _sensors(self, ids: npt.NDArray[np.uint8]) -> list[str]:
        data = ids.tobytes()
        keys = [data[start : start + 16] for start in range(0, len(data), 16)]
        if len(self._names) > _MOST_REMEMBERED:
            self._names.clear()
        for key in set(keys).difference(self._names):
            self._names[key] = str(UUID(bytes=key))
        return list(map(self._names.__getitem__, keys))


def _times(timestamp_us: npt.NDArray[np.int64]) -> list[str]:
    fine = (timestamp_us % _SECOND_US != 0).any()
    if not fine:
        return np.datetime_as_string(timestamp_us.astype("datetime64[us]"), unit="s").tolist()
    texts: list[str] = np.datetime_as_string(
        timestamp_us.astype("datetime64[us]"), unit="us"
    ).tolist()
    return [text.removesuffix(".000000") for text in texts]


def _numbers(values: npt.NDArray[np.float64], *, whole: bool = False) -> Sequence[object]:
    """Return objects that print as JSON; floats print as the shortest text of the same value."""
    null = np.isnan(values)
    if not null.any():
        return (values.astype(np.int64) if whole else values).tolist()
    present = np.where(null, 0.0, values)
    numbers: list[object] = (present.astype(np.int64) if whole else present).tolist()
    for row in np.flatnonzero(null).tolist():
        numbers[row] = "null"
    return numbers
