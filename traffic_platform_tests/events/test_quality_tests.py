"""The quality tests on values and nulls, and the score they give."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_platform.events import quality_tests

NULL = float("nan")
EDGES = [
    # speed, volume, occupancy, flags
    (NULL, 3060, NULL, 0),
    (NULL, 3061, NULL, quality_tests.VOLUME_HIGH),
    (NULL, NULL, 95, 0),
    (NULL, NULL, 95.01, quality_tests.OCCUPANCY_HIGH),
    (100, NULL, NULL, 0),
    (100.01, NULL, NULL, quality_tests.SPEED_HIGH),
    (5, NULL, NULL, 0),
    (4.99, NULL, NULL, quality_tests.SPEED_LOW),
    (0, 1, NULL, quality_tests.SPEED_LOW | quality_tests.VOLUME_WITHOUT_SPEED),
    (55, 0, NULL, quality_tests.SPEED_WITHOUT_VOLUME),
    (NULL, 0, 0.1, quality_tests.OCCUPANCY_WITHOUT_VOLUME),
    (0, 0, 0, quality_tests.SPEED_LOW),
    (NULL, 0, 0, 0),
    (55, 900, 7, 0),
    (0, 3240, 96, 1 | 2 | 8 | 16),
    (120, 0, 100, 2 | 4 | 32 | 64),
]


def columns(*readings: tuple[float, ...]) -> list[np.ndarray]:
    """Readings as columns."""
    return [np.array(column, dtype=np.float64) for column in zip(*readings, strict=True)]


def scores(*readings: tuple[float, float, float, float]) -> list[float]:
    """Scores of (speed, volume, occupancy, reported)."""
    speed, volume, occupancy, reported = columns(*readings)
    failed = quality_tests.flags(speed, volume, occupancy)
    return quality_tests.score(speed, volume, occupancy, failed, reported).tolist()


def test_each_test_fails_just_beyond_its_limit_and_not_where_a_measure_is_null() -> None:
    speed, volume, occupancy, wanted = columns(*EDGES)
    assert quality_tests.flags(speed, volume, occupancy).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("reading", "score"),
    [
        ((55, 900, 7), 1.0),
        ((3, 900, 7), 0.86),  # 6 of 7
        ((0, 3240, 96), 0.43),  # 3 of 7
        ((3, NULL, NULL), 0.5),  # 1 of 2
        ((3, NULL, 7), 0.67),  # 2 of 3
        ((3, 900, NULL), 0.8),  # 4 of 5
        ((NULL, 900, NULL), 1.0),
        ((NULL, 4000, NULL), 0.0),  # 0 of 1
        ((NULL, 0, 50), 0.67),  # 2 of 3
    ],
)
def test_the_score_is_the_share_of_applying_tests_that_pass(
    reading: tuple[float, float, float], score: float
) -> None:
    assert scores((*reading, NULL)) == [score]


@pytest.mark.parametrize("empty", [(0, 0, 0), (0, NULL, NULL), (0, 0, NULL), (NULL, 0, 0)])
def test_an_empty_road_scores_one_and_is_good(empty: tuple[float, float, float]) -> None:
    assert scores((*empty, NULL)) == [1.0]
    speed, volume, occupancy = columns(empty)
    failed = quality_tests.flags(speed, volume, occupancy)
    assert quality_tests.good(speed, volume, occupancy, failed).tolist() == [True]


def test_a_score_is_never_above_the_reported_one() -> None:
    assert scores((55, 900, 7, 0.123), (0, 0, 0, 0.5), (3, 900, 7, 0.9)) == [0.123, 0.5, 0.86]


def test_a_reading_with_any_failed_test_but_an_empty_road_is_not_good() -> None:
    speed, volume, occupancy, failed = columns(*EDGES)
    good = quality_tests.good(speed, volume, occupancy, failed.astype(np.int16))
    quiet = (failed == 8) & (speed == 0)
    assert good.tolist() == ((failed == 0) | quiet).tolist()
