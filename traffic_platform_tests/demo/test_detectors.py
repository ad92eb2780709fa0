"""Synthetic detectors measure like loops in such traffic."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from traffic_platform.demo.detectors import Corridor
from traffic_platform.events.measures import Measures
from traffic_platform.events.quality_tests import flags

MONDAY = round(datetime(2025, 10, 6, tzinfo=UTC).timestamp() * 1_000_000)
DAY = 86_400 * 1_000_000


@pytest.fixture(scope="module")
def corridor() -> Corridor:
    return Corridor("test", 60)


def test_a_day_is_consistent_in_speed_flow_and_occupancy(corridor: Corridor) -> None:
    day = corridor.measures(corridor.step_at_or_after(MONDAY), 4_320)
    moving = day.volume > 0
    density = day.volume[moving] / day.speed[moving]
    expected = np.clip(100 * density * 22 / 5280, 0, 100)
    assert np.median(np.abs(day.occupancy[moving] - expected) / expected) < 0.06
    assert np.isnan(day.speed[~moving]).all()
    assert (day.occupancy[~moving] == 0).all()


def test_nearly_every_reading_passes_the_quality_tests(corridor: Corridor) -> None:
    day = corridor.measures(corridor.step_at_or_after(MONDAY), 4_320)
    columns = (day.speed.ravel(), day.volume.ravel(), day.occupancy.ravel())
    wrong = flags(Measures(*columns)) != 0
    assert wrong.mean() < 0.002


def test_volume_is_whole_vehicles_of_the_interval(corridor: Corridor) -> None:
    volume = corridor.measures(corridor.step_at_or_after(MONDAY), 100).volume
    assert (volume % 180 == 0).all()


def test_the_commute_is_slow_on_a_monday_and_not_on_a_sunday(corridor: Corridor) -> None:
    eight = corridor.step_at_or_after(MONDAY + DAY // 3)
    sunday = corridor.step_at_or_after(MONDAY - DAY + DAY // 3)
    assert np.nanmin(corridor.measures(eight, 10).speed) < 35
    assert np.nanmin(corridor.measures(sunday, 10).speed) > 45


def test_rush_hours_are_in_local_time() -> None:
    west = Corridor("test", 60, timezone="America/Los_Angeles")
    eight_there = west.step_at_or_after(MONDAY + 15 * DAY // 24)
    assert np.nanmin(west.measures(eight_there, 10).speed) < 35


@pytest.mark.parametrize("sensors", [1, 7, 60, 130])
def test_an_interval_has_the_same_values_in_every_request(sensors: int) -> None:
    first = Corridor("test", sensors).step_at_or_after(MONDAY) - 3
    whole = Corridor("test", sensors).measures(first, 2_000)
    again = Corridor("test", sensors)
    for number in (1_999, 0, 1_000):
        one = again.measures(first + number, 1)
        assert np.array_equal(one.speed[0], whole.speed[number], equal_nan=True)
        assert np.array_equal(one.volume[0], whole.volume[number])
        assert np.array_equal(one.occupancy[0], whole.occupancy[number])


def test_a_detector_does_not_depend_on_the_number_of_detectors() -> None:
    few, many = Corridor("test", 10).detectors, Corridor("test", 200).detectors
    assert many[:10] == few
    assert len({detector.external_id for detector in many}) == 200
    assert all(detector.external_id.startswith("synthetic-") for detector in many)
