"""The measures of an event, one row each. Columns in Python and in SQL derive from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, LiteralString, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its column, its unit, and the values from 0 to `high` that an event may have.

    With `decimals`, values are rounded to that many before they are tested and stored.
    """

    name: LiteralString
    unit: str
    sql_type: Literal["double precision", "integer"]
    high: float
    decimals: int | None = None


MEASURES: Final = (
    Measure("speed", "miles per hour", "double precision", 300.0),
    Measure("volume", "vehicles per hour", "integer", 100_000.0, decimals=0),
    Measure("occupancy", "percent", "double precision", 100.0),
)


class Measures(NamedTuple):
    """A column of each of `MEASURES`, in their order; null is NaN."""

    speed: Floats
    volume: Floats
    occupancy: Floats

    @classmethod
    def of(cls, events: Sequence[Any]) -> Measures:
        """Return the attributes of events as columns; None becomes NaN.

        Attributes are spelled out, since that takes half the time of getting them by name.
        """
        return cls(
            speed=to_floats([event.speed for event in events]),
            volume=to_floats([event.volume for event in events]),
            occupancy=to_floats([event.occupancy for event in events]),
        )

    @classmethod
    def concatenate(cls, parts: Iterable[Measures]) -> Measures:
        """Return the rows of all parts, in their order."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    def apply(self, function: Callable[[Floats], Floats]) -> Measures:
        """Return the results of a function, measure by measure."""
        return Measures(*map(function, self))


def to_floats(values: list[float | None]) -> Floats:
    """Return numbers as a column; None becomes NaN."""
    return np.fromiter(values, np.float64, len(values))
