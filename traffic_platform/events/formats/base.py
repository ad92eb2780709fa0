"""A message format, and the columns that a reader of messages returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from traffic_platform.events.columns import Quarantined
from traffic_platform.events.measures import Floats, Measures

Values = Sequence[bytes | None]
SentSensor = str | int
SentTime = str | int | float


@dataclass(frozen=True)
class SentEvents:
    """Events as their messages spell them, one entry each.

    `index` is the position of the event's message in the batch, ascending. Types hold; sensors,
    times and numbers may still be impossible. A measure or score that is null or absent is NaN.

    `parsed` keeps what the reader made of the messages alive until the batch is decoded. To free it
    earlier scatters the memory of the next batch, and decoding takes a fifth longer.
    """

    index: npt.NDArray[np.int64]
    sensors: list[SentSensor]
    times: list[SentTime]
    measures: Measures
    reported: Floats
    format: npt.NDArray[np.int16]
    parsed: object = None

    def take(self, rows: npt.NDArray[np.int64]) -> SentEvents:
        """Return the entries at `rows`."""
        return SentEvents(
            index=self.index[rows],
            sensors=[self.sensors[row] for row in rows.tolist()],
            times=[self.times[row] for row in rows.tolist()],
            measures=self.measures.apply(lambda column: column[rows]),
            reported=self.reported[rows],
            format=self.format[rows],
            parsed=self.parsed,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[SentEvents]) -> SentEvents:
        """Return the entries of all parts, in their order."""
        return cls(
            index=np.concatenate([part.index for part in parts]),
            sensors=[sensor for part in parts for sensor in part.sensors],
            times=[time for part in parts for time in part.times],
            measures=Measures.concatenate([part.measures for part in parts]),
            reported=np.concatenate([part.reported for part in parts]),
            format=np.concatenate([part.format for part in parts]),
            parsed=parts,
        )


Read = Callable[[Values], tuple[SentEvents, list[Quarantined]]]
"""Reads a batch of messages: its events, and its rejected messages."""


class Format(Protocol):
    """A way in which a message spells an event."""

    @property
    def number(self) -> int:
        """The value of `processed_events.format`. Never changes."""
        ...

    @property
    def name(self) -> str:
        """The name for people and for `traffic produce --format`."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The place of each measure in a message, as details of rejections name it."""
        ...

    @property
    def template(self) -> bytes:
        """A message in which `%b` stands for sensor, time and each measure, in this order."""
        ...


class TextFormat(Format, Protocol):
    """A format whose messages tell by themselves that they are of this format."""

    def claims(self, value: bytes) -> bool:
        """Return true when the message is of this format, valid or not."""
        ...

    def compile(self, naive_zone: ZoneInfo | None) -> Read:
        """Return a reader for batches of messages of this format.

        `naive_zone` is the zone of timestamps without a zone (None: they are rejected).
        """
        ...
