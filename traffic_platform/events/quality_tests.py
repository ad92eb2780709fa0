"""Quality tests of a reading, and the score that they give.

Source of the tests: Texas Transportation Institute, "Quality control procedures for archived
operations traffic data" (2007), for one detector in one lane. They reproduce the 12,420 `dqflags`
of PORTAL's hour in `examples/portland_i205`. Null measures are NaN. A test does not apply when a
measure that it names is null.

`QUALITY_TESTS` is the only list of them. The score, the version of the decoding rules, the API, the
dashboard, the column comment and docs/quality-tests.md derive from it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from traffic_platform.events.measures import Floats, Measures

Flags = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]

_COMPARE: Final = {">": operator.gt, "<": operator.lt, "==": operator.eq}


class Condition(NamedTuple):
    """A comparison of a measure with a limit in the measure's unit. A null measure meets none."""

    measure: str
    comparison: Literal[">", "<", "=="]
    limit: float

    def holds(self, measures: Measures) -> Mask:
        """Return the rows that meet the condition."""
        column: Floats = getattr(measures, self.measure)
        return _COMPARE[self.comparison](column, self.limit)


@dataclass(frozen=True, slots=True)
class QualityTest:
    """A test: a reading fails it when all conditions hold.

    `bit` marks a failure in `quality_flags`. `sentence` tells people which values fail. A test that
    is `normal_on_empty_road` says nothing against a reading whose measures are all zero.
    """

    bit: int
    name: str
    sentence: str
    fails_when: tuple[Condition, ...]
    normal_on_empty_road: bool = False

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the test names."""
        return tuple(dict.fromkeys(condition.measure for condition in self.fails_when))


# The limit of volume is 17 vehicles in 20 seconds.
QUALITY_TESTS: Final = (
    QualityTest(
        1, "volume_high", "volume > 3,060 vehicles per hour", (Condition("volume", ">", 3060.0),)
    ),
    QualityTest(2, "occupancy_high", "occupancy > 95 %", (Condition("occupancy", ">", 95.0),)),
    QualityTest(4, "speed_high", "speed > 100 mph", (Condition("speed", ">", 100.0),)),
    QualityTest(
        8, "speed_low", "speed < 5 mph", (Condition("speed", "<", 5.0),), normal_on_empty_road=True
    ),
    QualityTest(
        16,
        "volume_without_speed",
        "speed 0 with volume",
        (Condition("speed", "==", 0.0), Condition("volume", ">", 0.0)),
    ),
    QualityTest(
        32,
        "speed_without_volume",
        "speed without volume",
        (Condition("speed", ">", 0.0), Condition("volume", "==", 0.0)),
    ),
    QualityTest(
        64,
        "occupancy_without_volume",
        "occupancy without volume",
        (Condition("occupancy", ">", 0.0), Condition("volume", "==", 0.0)),
    ),
)
NORMAL_ON_EMPTY_ROAD: Final = sum(test.bit for test in QUALITY_TESTS if test.normal_on_empty_road)
"""The flags that a reading of an empty road may have and still be good."""


def bit_of(name: str) -> int:
    """Return the bit of the test of that name. Raises KeyError when there is none."""
    return {test.name: test.bit for test in QUALITY_TESTS}[name]


def failed_tests(flags: int) -> list[QualityTest]:
    """Return the tests whose bits are set in one value of `quality_flags`."""
    return [test for test in QUALITY_TESTS if flags & test.bit]


def flags(measures: Measures, tests: tuple[QualityTest, ...] = QUALITY_TESTS) -> Flags:
    """Return the failed tests of each row as bits. Measures have their units of `MEASURES`."""
    failed = np.zeros(len(measures[0]), dtype=np.int16)
    for test in tests:
        # Comparisons with NaN are false: a test with a null measure does not fail.
        fails = reduce(operator.and_, [condition.holds(measures) for condition in test.fails_when])
        failed |= fails * np.int16(test.bit)
    return failed


def score(
    measures: Measures,
    failed: Flags,
    reported: Floats,
    tests: tuple[QualityTest, ...] = QUALITY_TESTS,
) -> Floats:
    """Return tests passed / tests that apply, to 2 decimals, at most `reported` (NaN: no limit).

    An empty road scores 1 although its speed of 0 fails the test for low speed.
    """
    present = {name: ~np.isnan(column) for name, column in measures._asdict().items()}
    applying = np.zeros(len(failed), dtype=np.int16)
    for test in tests:
        applying += reduce(operator.and_, [present[name] for name in test.measures])
    failures = np.bitwise_count(failed.view(np.uint16)).astype(np.int16)
    share = (applying - failures) / np.maximum(applying, 1)
    own = np.where(empty_road(measures), 1.0, np.round(share, 2))
    return np.fmin(own, reported)


def empty_road(measures: Measures) -> Mask:
    """Return the rows in which every present measure is zero, and one is present."""
    present = reduce(operator.or_, [~np.isnan(column) for column in measures])
    return present & reduce(operator.and_, [np.nan_to_num(column) == 0 for column in measures])
