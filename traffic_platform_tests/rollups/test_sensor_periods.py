"""What a sensor is has a validity in time: a change affects the readings after it only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import infer, recompute
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.rollups.readings import add_sensor, every
from traffic_platform_tests.rollups.rolled import (
    deliver,
    everything,
    roll_up_everything,
    rolled,
)

SATURDAY = date(2025, 10, 4)
MIDNIGHT = datetime(2025, 10, 4, tzinfo=UTC)
DAY = timedelta(days=1)
InZone = Callable[..., Settings]


def every_day(
    owner: psycopg.Connection, sensor: str, interval_s: float, days: int, first: datetime
) -> None:
    """Deliver whole days of 1,200 vehicles per hour, 28,800 a day, and roll them up."""
    count = round(days * 86_400 / interval_s)
    deliver(owner, sensor, every(interval_s, first, count, volume=1200))
    roll_up_everything(owner)


def days_of(owner: psycopg.Connection) -> list[tuple[float, float]]:
    """Vehicles and completeness of each day."""
    return [
        (round(row["vehicles"], 6), round(row["completeness"], 9))
        for row in rolled(owner, "readings_daily")
    ]


def test_a_finished_day_keeps_its_vehicles_when_the_reporting_interval_changes(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", origin="seen")
    every_day(owner, "a", 20, 1, MIDNIGHT)
    infer(owner)
    every_day(owner, "a", 60, 2, MIDNIGHT + DAY)
    assert infer(owner).intervals == 1
    roll_up_everything(owner)
    assert days_of(owner) == [(28_800, 1)] * 3
    assert infer(owner).intervals == 0


def test_an_import_of_other_values_keeps_the_past(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    described = {"interval_s": 20, "length_mi": 0.5, "free_flow_mph": 60}
    add_sensor(owner, "a", **described)
    every_day(owner, "a", 20, 1, MIDNIGHT)
    before = everything(owner)
    values = {"interval_s": 60, "length_mi": 1.0, "free_flow_mph": 50.0}
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", values)])
    roll_up_everything(owner)
    assert everything(owner) == before
    recompute(owner, [SATURDAY])
    assert everything(owner) == before


def test_a_detector_at_ten_hertz_counts_its_vehicles_once(owner: psycopg.Connection) -> None:
    add_sensor(owner, "inferred", origin="seen")
    add_sensor(owner, "imported", interval_s="0.1")
    for name in ("inferred", "imported"):
        deliver(owner, name, every(0.1, MIDNIGHT, 6000, volume=1200))
    roll_up_everything(owner)
    rows = rolled(owner, "readings_hourly")
    assert [row["vehicles"] for row in rows] == [pytest.approx(200)] * 2
    assert [float(row["interval_s"]) for row in rows] == [0.1] * 2
