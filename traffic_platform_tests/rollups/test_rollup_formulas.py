"""The formulas of docs/roll-ups.md, by hand on small data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from traffic_platform_tests.rollups.readings import Reading, add_sensor
from traffic_platform_tests.rollups.rolled import deliver, roll_up_everything, rolled

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def at(seconds: float, **measures: object) -> Reading:
    """A reading after noon."""
    return Reading(NOON + timedelta(seconds=seconds), **measures)  # pyright: ignore


def test_speed_is_weighted_by_flow_and_vehicles_are_rates_times_the_interval(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", interval_s=60, length_mi=0.5, free_flow_mph=60)
    deliver(
        owner,
        "a",
        [
            at(0, volume=600, speed=60.0, occupancy=4.0),
            at(60, volume=1800, speed=20.0, occupancy=30.0),
            at(120, volume=0, speed=0.0, occupancy=0.0),
            at(180, volume=None, speed=50.0, occupancy=None),
        ],
    )
    result = roll_up_everything(owner)
    assert result.buckets == 1
    [row] = rolled(owner, "readings_5min")
    vehicles, speed = (600 + 1800) * 60 / 3600, (600 * 60 + 1800 * 20) / 2400
    assert row["bucket"] == NOON
    assert (row["samples"], row["expected_samples"], row["completeness"]) == (4, 5.0, 0.8)
    assert (row["with_volume"], row["sum_volume"], row["vehicles"]) == (3, 2400, vehicles)
    assert (row["flow"], row["sum_q"], row["sum_qv"]) == (800.0, 2400, 72000.0)
    assert (row["speed"], row["min_speed"], row["max_speed"]) == (speed, 20.0, 60.0)
    assert row["occupancy"] == pytest.approx(34 / 3)
    vmt = vehicles * 0.5
    assert (row["vmt"], row["vht"], row["free_vht"]) == (vmt, vmt / speed, vmt / 60)
    assert row["delay_h"] == vmt / speed - vmt / 60
    assert row["travel_time_index"] == pytest.approx(2.0)
    [hour] = rolled(owner, "readings_hourly")
    assert (hour["hour"], hour["vehicles"], hour["completeness"]) == (NOON, vehicles, 4 / 60)
    assert (hour["speed"], hour["observed"], hour["observed_share"]) == (speed, 1, 1 / 12)
    [day] = rolled(owner, "readings_daily")
    assert (day["date"], day["vmt"], day["vht"]) == (
        date(2025, 10, 4),
        vmt,
        pytest.approx(vmt / speed),
    )
    assert (day["expected_samples"], day["observed_share"]) == (1440.0, 1 / 288)
