"""The simulated highway follows the models that it cites."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_platform.demo.highway import (
    LANE,
    STATIONS,
    STEP_SECONDS,
    STEPS_PER_DAY,
    Floats,
    simulate_day,
)

NORTH, SOUTH = 0, 1


@pytest.fixture(scope="module")
def weekday() -> Floats:
    return simulate_day(weekday=True, seed=205)


def step_at(hour: float) -> int:
    return int(hour * 3600 / STEP_SECONDS)


def test_flow_is_highest_at_the_critical_density_and_zero_in_a_jam() -> None:
    density = np.linspace(0.1, LANE.jam_density, 1_000)
    flow = density * LANE.speed(density)
    assert flow.max() == pytest.approx(LANE.capacity, rel=0.01)
    assert density[flow.argmax()] == pytest.approx(LANE.critical_density, rel=0.05)
    assert flow[-1] == pytest.approx(0, abs=1e-6)


def test_no_density_is_negative_or_beyond_a_jam(weekday: Floats) -> None:
    assert weekday.shape == (STEPS_PER_DAY, 2, STATIONS)
    assert weekday.min() > 0
    assert weekday.max() < LANE.jam_density


def test_the_morning_queue_is_northbound_and_the_evening_queue_southbound(weekday: Floats) -> None:
    speed = LANE.speed(weekday)
    morning, evening = slice(step_at(6), step_at(10)), slice(step_at(15), step_at(19))
    assert speed[morning, NORTH].min() < 30 < 60 < speed[morning, SOUTH].min()
    assert speed[evening, SOUTH].min() < 30 < 60 < speed[evening, NORTH].min()


def test_a_queue_begins_at_the_bottleneck_and_travels_upstream(weekday: Floats) -> None:
    queued = LANE.speed(weekday[:, NORTH]) < 40
    begins = [int(queued[:, station].argmax()) for station in range(8)]
    assert begins == sorted(begins, reverse=True)
    assert not queued[:, 8:].any()


def test_traffic_flows_freely_at_night(weekday: Floats) -> None:
    assert LANE.speed(weekday[: step_at(5)]).min() == LANE.free_flow_mph


def test_a_weekend_has_no_queue() -> None:
    assert LANE.speed(simulate_day(weekday=False, seed=205)).min() > 60


def test_the_same_seed_gives_the_same_day(weekday: Floats) -> None:
    assert np.array_equal(weekday, simulate_day(weekday=True, seed=205))
    assert not np.array_equal(weekday, simulate_day(weekday=True, seed=206))
