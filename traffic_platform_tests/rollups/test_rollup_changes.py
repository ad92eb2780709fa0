"""Roll-ups after changes of readings or sensors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import TABLES, Changes, infer, recompute, roll_up
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.periods import BEGINNING
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.rollups.readings import Reading, add_readings, add_sensor, every
from traffic_platform_tests.rollups.rolled import (
    deliver,
    everything,
    mark,
    roll_up_everything,
    rolled,
)

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
SATURDAY = date(2025, 10, 4)


def from_nothing(owner: psycopg.Connection, days: list[date]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that a recomputation of these dates writes into empty tables."""
    for table in TABLES:
        owner.execute(f"truncate traffic.{table}")  # pyright: ignore[reportArgumentType]
    recompute(owner, days)
    return everything(owner)


def versions(owner: psycopg.Connection) -> list[tuple[Any, ...]]:
    """The transaction that wrote each row."""
    return [
        row
        for table in TABLES
        for row in owner.execute(
            f"select '{table}', xmin::text, ctid::text from traffic.{table} order by 3"  # pyright: ignore
        ).fetchall()
    ]


def update(
    owner: psycopg.Connection, sensor: str, at: datetime, column: str, value: object
) -> None:
    """Change a measure as an upsert does."""
    owner.execute(
        f"update traffic.traffic_readings set {column} = %s"  # pyright: ignore
        ' where sensor_id = %s and "timestamp" = %s',
        (value, sensor_uuid(sensor), at),
    )
    mark(owner, sensor, [at])


def test_late_readings_and_later_values_reach_bucket_hour_and_day(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 60, volume=600))
    roll_up_everything(owner)
    deliver(owner, "a", every(60, NOON - timedelta(hours=3), 5, volume=1200))
    update(owner, "a", NOON, "volume", 1200)
    result = roll_up_everything(owner)
    assert result.tables == {
        "readings_5min": {SATURDAY: Changes(added=1, changed=1)},
        "readings_hourly": {SATURDAY: Changes(added=1, changed=1)},
        "readings_daily": {SATURDAY: Changes(changed=1)},
    }
    [day] = rolled(owner, "readings_daily")
    assert day["vehicles"] == 600 + 100 + 10
    assert day["samples"] == 65


def test_a_row_that_comes_out_equal_is_not_written(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", interval_s=60, length_mi=1.5, free_flow_mph=60)
    deliver(owner, "a", every(60, NOON, 100, speed=41.3))
    roll_up_everything(owner)
    before = versions(owner)
    mark(owner, "a", [NOON + timedelta(minutes=minute) for minute in range(100)])
    assert roll_up_everything(owner).tables == {}
    recompute(owner, [SATURDAY])
    assert versions(owner) == before


def test_a_bucket_whose_readings_have_gone_loses_its_row(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", interval_s=300)
    deliver(owner, "a", every(300, NOON, 2))
    roll_up_everything(owner)
    owner.execute('delete from traffic.traffic_readings where "timestamp" = %s', (NOON,))
    mark(owner, "a", [NOON])
    assert roll_up_everything(owner).tables["readings_5min"] == {SATURDAY: Changes(removed=1)}
    assert [row["samples"] for row in rolled(owner, "readings_daily")] == [1]
    owner.execute("delete from traffic.traffic_readings")
    recompute(owner, [SATURDAY])
    assert everything(owner) == {table: [] for table in TABLES}


def test_a_correction_of_interval_or_length_changes_all_rows_of_the_sensor(
    owner: psycopg.Connection, in_zone: Callable[..., Settings]
) -> None:
    settings = in_zone()
    for name in ("a", "b"):
        add_sensor(owner, name, interval_s=60)
        deliver(owner, name, every(60, NOON, 60, volume=600))
    roll_up_everything(owner)
    assert {day["vehicles"] for day in rolled(owner, "readings_daily")} == {600}
    values = {"interval_s": 30, "length_mi": 2.0, "free_flow_mph": 110.0}
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", values, BEGINNING)])
    assert roll_up_everything(owner).tables["readings_5min"] == {SATURDAY: Changes(changed=12)}
    [a], [b] = rolled(owner, "readings_daily", "a"), rolled(owner, "readings_daily", "b")
    assert (a["vehicles"], a["vmt"], a["completeness"]) == (300, 600, 60 / 2880)
    assert a["delay_h"] == pytest.approx(600 / 55 - 600 / 110)
    assert (b["vehicles"], b["vmt"]) == (600, None)
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", {"name": "another"})])
    assert roll_up(owner).buckets == 0


def test_an_interval_is_inferred_when_readings_tell_it_and_then_for_all_rows(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", origin="seen")
    deliver(owner, "a", [Reading(NOON - timedelta(hours=1), volume=600)])
    roll_up_everything(owner)
    [row] = rolled(owner, "readings_5min")
    assert (row["interval_s"], row["vehicles"], row["completeness"]) == (None, None, None)
    deliver(owner, "a", every(20, NOON, 3, volume=600))
    roll_up_everything(owner)
    assert [row["vehicles"] for row in rolled(owner, "readings_hourly")] == [600 / 180, 10]
    # A later inference replaces it only where most gaps say so.
    deliver(owner, "a", every(60, NOON + timedelta(minutes=5), 100))
    assert infer(owner).intervals == 1
    roll_up_everything(owner)
    assert {row["interval_s"] for row in rolled(owner, "readings_5min")} == {60}
    assert infer(owner).intervals == 0


def test_free_flow_is_the_85th_percentile_of_good_speeds_in_light_flow(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", interval_s=300, length_mi=0.5)
    start = NOON - timedelta(hours=12)
    light = [
        Reading(start + timedelta(minutes=5 * number), volume=900, speed=50.0 + number % 21)
        for number in range(105)
    ]
    heavy = every(300, start + timedelta(minutes=5 * 105), 100, volume=1500, speed=20.0)
    deliver(owner, "a", [*light, *heavy])
    roll_up_everything(owner)
    [day] = rolled(owner, "readings_daily")
    assert (day["free_vht"], day["delay_h"], day["travel_time_index"]) == (None, None, None)
    assert infer(owner, only_missing=True).free_flow_speeds == 1
    assert owner.execute("select inferred_free_flow_mph from traffic.sensors").fetchone() == (67,)
    roll_up_everything(owner)
    [day] = rolled(owner, "readings_daily")
    assert day["free_vht"] == pytest.approx(day["vmt"] / 67)
    assert infer(owner).free_flow_speeds == 0


def test_measures_at_the_edge_of_their_domain_can_be_rolled_up(owner: psycopg.Connection) -> None:
    add_sensor(owner, "tiny", interval_s=2**31 - 1, length_mi=5e-324, free_flow_mph=5e-324)
    add_sensor(owner, "huge", interval_s=1, length_mi=1e308, free_flow_mph=1e308)
    readings = [
        Reading(NOON, volume=100_000, speed=5e-324, occupancy=5e-324),
        Reading(NOON + timedelta(microseconds=1), volume=1, speed=300.0, occupancy=100.0),
        Reading(NOON + timedelta(seconds=299, microseconds=999_999), volume=100_000, speed=300.0),
    ]
    for name in ("tiny", "huge"):
        deliver(owner, name, readings)
        deliver(owner, name, [Reading(NOON + timedelta(hours=1), volume=1, speed=0.000001)])
    roll_up_everything(owner)
    hours = rolled(owner, "readings_hourly", "tiny")
    assert [hour["samples"] for hour in hours] == [3, 1]
    assert [hour["speed"] for hour in hours] == [300.0, 0.000001]


def test_a_sensor_that_reports_every_quarter_of_an_hour_is_complete_by_the_hour(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", interval_s=900)
    deliver(owner, "a", every(900, NOON, 4, volume=400))
    roll_up_everything(owner)
    assert [row["completeness"] for row in rolled(owner, "readings_5min")] == [3.0] * 4
    [hour] = rolled(owner, "readings_hourly")
    assert (hour["completeness"], hour["observed_share"], hour["vehicles"]) == (1.0, 1.0, 400)


def test_an_empty_road_is_observed_and_good(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", interval_s=300, length_mi=1, free_flow_mph=60)
    deliver(owner, "a", [Reading(NOON, volume=0, speed=0.0, occupancy=0.0)])
    deliver(owner, "a", [Reading(NOON + timedelta(minutes=5), volume=0, speed=9.0)])
    owner.execute(
        "update traffic.traffic_readings set quality_flags = case speed when 0 then 8 else 32 end"
    )
    roll_up_everything(owner)
    [hour] = rolled(owner, "readings_hourly")
    assert (hour["observed"], hour["good"], hour["good_share"]) == (2, 1, 0.5)
    assert (hour["speed"], hour["vmt"], hour["vht"], hour["delay_h"]) == (None, 0, 0, 0)
    assert hour["travel_time_index"] is None


def test_speeds_that_a_test_has_flagged_carry_no_weight(owner: psycopg.Connection) -> None:
    add_sensor(owner, "a", interval_s=60)
    deliver(owner, "a", every(60, NOON, 5, speed=40.0, volume=1000))
    for minute, (flags, speed) in enumerate([(4, 200.0), (16, 0.0), (1, 60.0), (8, 4.0)]):
        owner.execute(
            "update traffic.traffic_readings set quality_flags = %s, speed = %s"
            ' where "timestamp" = %s',
            (flags, speed, NOON + timedelta(minutes=minute)),
        )
    roll_up_everything(owner)
    [row] = rolled(owner, "readings_5min")
    assert (row["sum_q"], row["speed"]) == (3000, pytest.approx((60 + 4 + 40) / 3))
    assert (row["min_speed"], row["max_speed"], row["good"]) == (4.0, 60.0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_the_rows_are_those_of_a_recomputation_from_nothing(
    owner: psycopg.Connection, seed: int
) -> None:
    """Days of readings in pieces, late, changed and removed, with roll-ups in between."""
    random = np.random.default_rng(seed)
    owner.execute("update traffic.platform set timezone = 'Asia/Kathmandu'")
    names = ["a", "b", "c", "d"]
    for name in names:
        described = {"interval_s": 30, "length_mi": 0.37, "free_flow_mph": 61.7}
        add_sensor(owner, name, **(described if name < "c" else {"origin": "seen"}))
    start = NOON - timedelta(days=1)
    waiting = [(name, 30 * number) for name in names for number in range(2 * 2880)]
    order = random.permutation(len(waiting))
    for piece in np.array_split(order, 25):
        for name in names:
            mine = [waiting[row][1] for row in piece if waiting[row][0] == name]
            deliver(owner, name, [_reading(random, start + timedelta(seconds=at)) for at in mine])
        changed = [waiting[row] for row in random.choice(piece, 5)]
        for name, at in changed[:4]:
            value = int(random.integers(0, 3000))
            update(owner, name, start + timedelta(seconds=at), "volume", value)
        name, at = changed[4]
        owner.execute(
            'delete from traffic.traffic_readings where sensor_id = %s and "timestamp" = %s',
            (sensor_uuid(name), start + timedelta(seconds=at)),
        )
        mark(owner, name, [start + timedelta(seconds=at)])
        if random.random() < 0.5:
            roll_up(owner, limit=500)
    roll_up_everything(owner)
    result = everything(owner)
    assert len(result["readings_daily"]) == 3 * len(names)
    assert result == from_nothing(owner, [SATURDAY + timedelta(days=day) for day in (-1, 0, 1)])


def _reading(random: np.random.Generator, at: datetime) -> Reading:
    return Reading(
        at,
        volume=int(random.integers(0, 2400)) if random.random() < 0.95 else None,
        speed=float(random.uniform(0, 90)) if random.random() < 0.95 else None,
        occupancy=float(random.uniform(0, 60)) if random.random() < 0.95 else None,
    )


def test_readings_that_nobody_marked_are_found_by_a_recomputation(
    owner: psycopg.Connection,
) -> None:
    add_sensor(owner, "a", interval_s=300)
    add_readings(owner, "a", every(300, NOON, 3))
    assert roll_up(owner).buckets == 0
    assert recompute(owner, [SATURDAY]).total("readings_5min") == Changes(added=3)
