"""The quality tests on values and nulls, and the score that they give."""

from __future__ import annotations

import re

import numpy as np
import pytest

from traffic_platform.events.measures import Measures
from traffic_platform.events.quality_tests import (
    NORMAL_ON_EMPTY_ROAD,
    QUALITY_TESTS,
    bit_of,
    empty_road,
    failed_tests,
    flags,
    score,
)
from traffic_platform.statements import sql_folder

NULL = float("nan")
Reading = tuple[float, float, float]
EDGES: list[tuple[Reading, set[str]]] = [
    # speed, volume, occupancy, failed tests
    ((NULL, 3060, NULL), set()),
    ((NULL, 3061, NULL), {"volume_high"}),
    ((NULL, NULL, 95), set()),
    ((NULL, NULL, 95.01), {"occupancy_high"}),
    ((100, NULL, NULL), set()),
    ((100.01, NULL, NULL), {"speed_high"}),
    ((5, NULL, NULL), set()),
    ((4.99, NULL, NULL), {"speed_low"}),
    ((0, 1, NULL), {"speed_low", "volume_without_speed"}),
    ((55, 0, NULL), {"speed_without_volume"}),
    ((NULL, 0, 0.1), {"occupancy_without_volume"}),
    ((0, 0, 0), {"speed_low"}),
    ((NULL, 0, 0), set()),
    ((55, 900, 7), set()),
    ((0, 3240, 96), {"volume_high", "occupancy_high", "speed_low", "volume_without_speed"}),
    (
        (120, 0, 100),
        {"occupancy_high", "speed_high", "speed_without_volume", "occupancy_without_volume"},
    ),
]


def columns(*readings: Reading) -> Measures:
    """Return readings as columns."""
    given = dict(zip(("speed", "volume", "occupancy"), zip(*readings, strict=True), strict=True))
    null = [NULL] * len(readings)
    return Measures(
        *(np.array(given.get(name, null), dtype=np.float64) for name in Measures._fields)
    )


def score_of(reading: Reading, reported: float = NULL) -> float:
    """Return the score of one reading."""
    measures = columns(reading)
    [found] = score(measures, flags(measures), np.array([reported])).tolist()
    return found


def test_each_test_fails_just_beyond_its_limit_and_not_where_a_measure_is_null() -> None:
    found = flags(columns(*(reading for reading, _ in EDGES))).tolist()
    assert [{test.name for test in failed_tests(each)} for each in found] == [
        names for _, names in EDGES
    ]


def test_every_test_has_a_bit_of_its_own_and_an_edge() -> None:
    assert [test.bit for test in QUALITY_TESTS] == [1 << n for n in range(len(QUALITY_TESTS))]
    assert QUALITY_TESTS[-1].bit < 1 << 15  # quality_flags is a smallint
    names = [test.name for test in QUALITY_TESTS]
    assert set(names) == set().union(*(failed for _, failed in EDGES))
    assert [bit_of(name) for name in names] == [test.bit for test in QUALITY_TESTS]
    assert {name for test in QUALITY_TESTS for name in test.measures} <= set(Measures._fields)


@pytest.mark.parametrize(("reading", "failed"), EDGES)
def test_the_score_is_the_share_of_applying_tests_that_pass(
    reading: Reading, failed: set[str]
) -> None:
    present = columns(reading)._asdict()
    applying = [
        test for test in QUALITY_TESTS if not any(np.isnan(present[name]) for name in test.measures)
    ]
    share = round((len(applying) - len(failed)) / len(applying), 2)
    assert score_of(reading) == (1.0 if reading == (0, 0, 0) else share)


@pytest.mark.parametrize(
    ("reading", "passed"),
    [
        ((3, 900, 7), "6 of 7"),
        ((0, 3240, 96), "3 of 7"),
        ((3, NULL, NULL), "1 of 2"),
        ((3, NULL, 7), "2 of 3"),
        ((3, 900, NULL), "4 of 5"),
        ((NULL, 900, NULL), "1 of 1"),
        ((NULL, 4000, NULL), "0 of 1"),
        ((NULL, 0, 50), "2 of 3"),
    ],
)
def test_the_first_seven_tests_give_these_scores(reading: Reading, passed: str) -> None:
    seven, measures = QUALITY_TESTS[:7], columns(reading)
    number, total = map(int, passed.split(" of "))
    found = score(measures, flags(measures, seven), np.array([NULL]), seven)
    assert found.tolist() == [round(number / total, 2)]


@pytest.mark.parametrize("empty", [(0, 0, 0), (0, NULL, NULL), (0, 0, NULL), (NULL, 0, 0)])
def test_an_empty_road_scores_one_whatever_its_flags(empty: Reading) -> None:
    assert score_of(empty) == 1.0
    assert empty_road(columns(empty)).tolist() == [True]
    [failed] = flags(columns(empty)).tolist()
    assert failed in (0, NORMAL_ON_EMPTY_ROAD)


def test_a_road_without_measures_or_with_one_that_is_not_zero_is_not_empty() -> None:
    readings = [(NULL, NULL, NULL), (0, 0, 0.1), (0, 1, 0), (1, NULL, NULL)]
    assert empty_road(columns(*readings)).tolist() == [False] * 4


def test_a_score_is_never_above_the_reported_one() -> None:
    assert score_of((55, 900, 7), 0.123) == 0.123
    assert score_of((0, 0, 0), 0.5) == 0.5
    assert score_of((3, 900, 7), 0.9) == score_of((3, 900, 7)) < 0.9


def test_sql_names_bits_in_two_parts_only() -> None:
    bits = re.compile(r"quality_flags\s*(?:&|=|<>|in)\s*\(?\s*(\d+)")
    found = {
        (str(path.relative_to(sql_folder())), int(number))
        for path in sql_folder().rglob("*.sql")
        if "migrations" not in path.parts
        for number in bits.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {
        ("parts/is_good.sql", 0),
        ("parts/is_good.sql", NORMAL_ON_EMPTY_ROAD),
        ("parts/is_moving.sql", bit_of("speed_high") | bit_of("volume_without_speed")),
    }
