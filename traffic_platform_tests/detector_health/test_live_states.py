"""Live states of detectors from their last hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from traffic_platform.detector_health.live_state import LiveState, live_states
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import infer
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.rollups.readings import Reading, add_readings, add_sensor, every

NOW = datetime(2025, 10, 4, 12, tzinfo=UTC)
HOUR_AGO = NOW - timedelta(hours=1)
InZone = Callable[..., Settings]


def states(
    reader: psycopg.Connection, settings: Settings, now: datetime = NOW
) -> dict[str, LiveState]:
    """State by external id."""
    return {state.counts.external_id: state for state in live_states(reader, settings, now)}


def last_hour(until: datetime = NOW, **measures: Any) -> list[Reading]:
    """A reading a minute, the last one a minute before `until`."""
    return every(60, until - timedelta(hours=1), 60, **measures)


def test_each_state_comes_with_its_figures(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    hours: dict[str, tuple[str, list[Reading]]] = {
        "reporting": ("reporting", last_hour()),
        "empty road": ("reporting", last_hour(speed=None, volume=0, occupancy=0.0)),
        "late": ("reporting", last_hour(NOW - timedelta(minutes=14))),
        "silent": ("silent", last_hour(NOW - timedelta(minutes=16))),
        "silent for long": ("silent", last_hour(NOW - timedelta(days=9))),
        "history": ("silent", last_hour(datetime(2011, 9, 16, 3, tzinfo=UTC))),
        "stuck": ("stuck", last_hour(speed=61.0, volume=720, occupancy=12.3)),
        "locked on": ("stuck", last_hour(speed=None, volume=0, occupancy=100.0)),
        "same but for one": ("reporting", [*last_hour(occupancy=7.0), Reading(NOW)]),
        "never": ("silent", []),
    }
    for name, (_, readings) in hours.items():
        add_sensor(owner, name, interval_s=60)
        add_readings(owner, name, readings)
    found = states(reader, in_zone("America/Los_Angeles"))
    assert {n: s.state for n, s in found.items()} == {n: state for n, (state, _) in hours.items()}
    assert found["reporting"].seen == "59 of 60 expected readings in the last hour."
    assert found["silent"].seen == "No reading for 17 minutes."
    assert found["silent for long"].seen == "No reading for 9 days."
    assert found["history"].seen == "No reading since 2011-09-15."
    assert found["stuck"].seen == "All 59 readings of the last hour are the same."
    assert found["never"].seen == "No reading yet."
    assert found["reporting"].counts.newest_reading == NOW - timedelta(minutes=1)


def test_a_slow_detector_may_be_quiet_for_three_intervals(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    for minutes in (44, 46):
        add_sensor(owner, f"{minutes}", interval_s=900)
        add_readings(owner, f"{minutes}", every(900, NOW - timedelta(minutes=minutes), 1))
    found = states(reader, in_zone())
    assert {name: state.state for name, state in found.items()} == {
        "44": "reporting",
        "46": "silent",
    }


def test_few_equal_readings_are_not_called_stuck(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", interval_s=900)
    add_readings(owner, "a", every(900, HOUR_AGO + timedelta(minutes=1), 4, occupancy=7.0))
    assert states(reader, in_zone())["a"].state == "reporting"
    assert states(reader, in_zone(health_stuck_samples=4))["a"].state == "stuck"


def test_an_interval_that_was_inferred_counts_here_as_well(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    add_sensor(owner, "a", origin="seen")
    add_readings(owner, "a", every(30, NOW - timedelta(days=1), 2_880))
    assert states(reader, settings)["a"].counts.expected is None
    infer(owner)
    assert states(reader, settings)["a"].counts.expected == 120


def test_a_changed_interval_counts_from_its_begin_on(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    add_sensor(owner, "a", interval_s=20)
    half = NOW - timedelta(minutes=30)
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", {"interval_s": 60}, half)])
    assert states(reader, settings)["a"].counts.expected == 90 + 30


def test_a_retired_sensor_has_no_state(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    add_sensor(owner, "a")
    assert states(reader, settings)["a"].state == "silent"
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", {"retired": True})])
    assert states(reader, settings) == {}


def test_a_sensor_that_was_only_seen_is_left_out_after_a_while(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    for origin in ("seen", "imported"):
        add_sensor(owner, origin, origin=origin)
        add_readings(owner, origin, last_hour(NOW - timedelta(days=61)))
    assert set(states(reader, in_zone())) == {"imported"}


@pytest.mark.parametrize("minutes", [5, 20])
def test_the_time_until_silent_is_a_setting(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone, minutes: int
) -> None:
    add_sensor(owner, "a", interval_s=60)
    add_readings(owner, "a", last_hour(NOW - timedelta(minutes=10)))
    found = states(reader, in_zone(health_silent_minutes=minutes))
    assert found["a"].state == ("silent" if minutes == 5 else "reporting")
