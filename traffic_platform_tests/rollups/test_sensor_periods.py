"""Values of a sensor have a validity in time: a change affects later readings only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import numpy as np
import psycopg
import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import TABLES, infer, recompute, roll_up
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.csv_rows import Value
from traffic_platform.sensors.periods import BEGINNING, bound_of
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.rollups.readings import Reading, add_sensor, every
from traffic_platform_tests.rollups.rolled import (
    deliver,
    everything,
    roll_up_everything,
    rolled,
)

SATURDAY = date(2025, 10, 4)
MIDNIGHT = datetime(2025, 10, 4, tzinfo=UTC)
DAY = timedelta(days=1)
T = TypeVar("T")
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


def test_the_begin_of_a_change_is_found_on_a_bound_of_five_minutes(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", origin="seen")
    noon = MIDNIGHT + timedelta(hours=12)
    deliver(owner, "a", every(20, MIDNIGHT - 10 * DAY, 10 * 4320 + 2160, volume=1200))
    roll_up_everything(owner)
    deliver(owner, "a", every(60, noon, 3 * 1440, volume=1200))
    roll_up_everything(owner)
    assert infer(owner).intervals == 1
    roll_up_everything(owner)
    assert periods(owner, "a") == [(None, 20), (noon, 60)]
    [changed] = [row for row in rolled(owner, "readings_daily") if row["date"] == SATURDAY]
    assert changed["vehicles"] == pytest.approx(28_800)
    assert changed["completeness"] == 1
    assert changed["expected_samples"] == 2160 + 720
    assert changed["interval_s"] == 60


def test_a_change_that_lasts_for_less_than_a_day_is_none(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", origin="seen")
    every_day(owner, "a", 20, 2, MIDNIGHT)
    deliver(owner, "a", every(60, MIDNIGHT + 2 * DAY, 1439, volume=1200))
    roll_up_everything(owner)
    assert infer(owner).intervals == 0
    deliver(owner, "a", every(60, MIDNIGHT + 3 * DAY - timedelta(minutes=1), 1, volume=1200))
    assert infer(owner).intervals == 1


def test_a_small_difference_begins_no_period(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", origin="seen")
    every_day(owner, "a", 20, 1, MIDNIGHT)
    deliver(owner, "a", every(22, MIDNIGHT + DAY, 2 * 3927, volume=1200))
    assert infer(owner).intervals == 0
    deliver(owner, "a", every(23, MIDNIGHT + 3 * DAY, 2 * 3756, volume=1200))
    assert infer(owner).intervals == 1


def test_a_free_flow_speed_that_changes_keeps_the_past(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", interval_s=300, length_mi=0.5)
    deliver(owner, "a", every(300, MIDNIGHT, 288, volume=900, speed=60.0))
    roll_up_everything(owner)
    assert infer(owner).free_flow_speeds == 1
    roll_up_everything(owner)
    before = everything(owner)
    assert before["readings_daily"][0]["free_vht"] is not None
    deliver(owner, "a", every(300, MIDNIGHT + DAY, 28 * 288, volume=900, speed=50.0))
    roll_up_everything(owner)
    assert infer(owner).free_flow_speeds == 1
    roll_up_everything(owner)
    recompute(owner, [SATURDAY])
    assert [rolled(owner, table)[: len(rows)] for table, rows in before.items()] == [
        *before.values()
    ]
    assert owner.execute("select inferred_free_flow_mph from traffic.sensors").fetchone() == (50,)
    assert len(periods(owner, "a")) == 2


def test_dated_values_are_computed_again_from_their_begin_on(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    add_sensor(owner, "a", interval_s=20, length_mi=1.0, free_flow_mph=60)
    every_day(owner, "a", 20, 3, MIDNIGHT)
    first = rolled(owner, "readings_daily")[0]
    values = {"length_mi": 2.0, "free_flow_mph": 110.0}
    record = SensorRecord(sensor_uuid("a"), "a", values, MIDNIGHT + DAY)
    store_sensors(settings, [record])
    roll_up_everything(owner)
    days = rolled(owner, "readings_daily")
    assert days[0] == first
    assert [day["vmt"] for day in days] == [28_800, 57_600, 57_600]
    assert [day["delay_h"] for day in days] == [
        pytest.approx(28_800 / 55 - 28_800 / 60),
        *[pytest.approx(57_600 / 55 - 57_600 / 110)] * 2,
    ]
    # The change of another value keeps this one, and a correction ends where the value changes.
    half = MIDNIGHT + 2 * DAY
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", {"interval_s": 40}, half)])
    corrected = SensorRecord(sensor_uuid("a"), "a", {"length_mi": 3.0}, BEGINNING)
    store_sensors(settings, [corrected])
    roll_up_everything(owner)
    days = rolled(owner, "readings_daily")
    assert [day["vehicles"] for day in days] == [28_800, 28_800, 57_600]
    assert [day["vmt"] for day in days] == [86_400, 57_600, 115_200]


def test_an_imported_value_that_was_unknown_completes_the_past(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", origin="seen")
    every_day(owner, "a", 20, 1, MIDNIGHT)
    values = {"interval_s": 20, "length_mi": 1.0, "free_flow_mph": 60.0}
    report = store_sensors(in_zone(), [SensorRecord(sensor_uuid("a"), "a", values)])
    assert set(report.changed[0].since.values()) == {BEGINNING}
    roll_up_everything(owner)
    [day] = rolled(owner, "readings_daily")
    assert (day["vehicles"], day["vmt"]) == (28_800, 28_800)
    assert len(periods(owner, "a")) == 1


def periods(owner: psycopg.Connection, sensor: str) -> list[tuple[datetime | None, float]]:
    """Begin and interval of the sensor's periods."""
    return owner.execute(
        "select nullif(valid_from, '-infinity'), interval_s from traffic.sensor_timeline"
        " where sensor_id = %s order by valid_from",
        (sensor_uuid(sensor),),
    ).fetchall()


@pytest.mark.parametrize("seed", range(3))
def test_roll_ups_with_changes_of_periods_in_between_are_those_of_a_recomputation(
    owner: psycopg.Connection, in_zone: InZone, seed: int
) -> None:
    """Pieces of three days, late and in any order, between dated and undated changes."""
    random = np.random.default_rng(seed)
    settings = in_zone("Asia/Kathmandu")
    names = ["a", "b", "c"]
    add_sensor(owner, "a", interval_s=30, length_mi=0.37, free_flow_mph=61.7)
    add_sensor(owner, "b", origin="seen")
    add_sensor(owner, "c", interval_s=900, length_mi=1.1)
    times = [(name, 30 * number) for name in names for number in range(3 * 2880)]
    for piece in np.array_split(random.permutation(len(times)), 20):
        for name in names:
            mine = [times[row][1] for row in piece if times[row][0] == name]
            readings = [
                Reading(
                    MIDNIGHT + timedelta(seconds=at),
                    volume=int(random.integers(0, 2400)),
                    speed=float(random.uniform(0, 90)),
                )
                for at in mine
            ]
            deliver(owner, name, readings)
        store_sensors(settings, [_change(random, names)])
        match int(random.integers(0, 4)):
            case 0:
                roll_up(owner, limit=300)
            case 1:
                infer(owner)
            case 2:
                roll_up_everything(owner)
            case _:
                pass
    infer(owner)
    roll_up_everything(owner)
    incremental = everything(owner)
    assert owner.execute("select count(*) > 8 from traffic.sensor_periods").fetchone() == (True,)
    for table in TABLES:
        owner.execute(f"truncate traffic.{table}")  # pyright: ignore[reportArgumentType]
    recompute(owner, [SATURDAY + DAY * number for number in range(-1, 5)])
    assert everything(owner) == incremental


def _one_of(random: np.random.Generator, *values: T) -> T:
    return values[int(random.integers(0, len(values)))]


def _change(random: np.random.Generator, names: list[str]) -> SensorRecord:
    values: dict[str, Value] = {
        "interval_s": _one_of(random, None, Decimal("0.1"), Decimal(20), Decimal(30), Decimal(900)),
        "length_mi": _one_of(random, None, 0.37, 2.0),
        "free_flow_mph": _one_of(random, None, 55.5, 61.7),
        "lanes": int(random.integers(1, 3)),
        "retired": bool(random.random() < 0.2),
    }
    chosen = random.choice([*values], int(random.integers(1, 4)), replace=False)
    name = str(random.choice(names))
    begin = bound_of(MIDNIGHT + timedelta(seconds=int(random.integers(0, 3 * 86_400))))
    since = _one_of(random, None, BEGINNING, begin, begin, begin)
    return SensorRecord(sensor_uuid(name), name, {key: values[key] for key in chosen}, since)
