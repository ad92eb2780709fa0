"""Checks of measures, on sensors that measure wrongly."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.measures import (
    measures_present,
    occupancy_in_percent,
    quality_holds,
    values_change,
)
from traffic_platform.settings import Settings
from traffic_platform_tests.quality.conftest import MIDNIGHT, Table, context_at


def test_a_sensor_that_begins_to_send_nulls_is_named_with_its_measure(
    table: Table, context: CheckContext
) -> None:
    for sensor in ("a-1", "a-2"):
        table.add_history(sensor)
    table.add("a-1", hours=(0, 12))
    table.add("a-1", hours=(12, 24), speed="null", occupancy="null")
    table.add("a-2")
    outcome = measures_present(context)
    assert not outcome.passed
    assert "No speed from 1 of 2 sensors: a (a-1)" in outcome.summary
    assert "No occupancy from 1 of 2 sensors: a (a-1)" in outcome.summary
    row = outcome.sample[0]
    assert (row["sensor"], row["measure"], row["share"], row["share before"]) == (
        "a-1",
        "speed",
        0.5,
        0.0,
    )


def test_volume_that_goes_missing_is_named(table: Table, context: CheckContext) -> None:
    table.add_history("a-1")
    table.add("a-1", volume="null")
    assert "No volume from 1 of 1 sensors: a (a-1)" in measures_present(context).summary


def test_a_speed_of_zero_while_vehicles_pass_counts_as_missing(
    table: Table, context: CheckContext
) -> None:
    table.add_history("a-1")
    table.add("a-1", speed="0")
    assert not measures_present(context).passed


def test_a_sensor_that_never_had_speed_passes(table: Table, context: CheckContext) -> None:
    for speed, sensor in (("null", "a-1"), ("55", "a-2")):
        table.add_history(sensor, speed=speed)
        table.add(sensor, speed=speed)
    assert measures_present(context).passed


def test_without_history_a_sensor_fails_whose_feed_has_the_measure(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1", speed="0")
    table.add("a-2")
    table.add("volume-only-1", speed="null")
    outcome = measures_present(context)
    assert outcome.summary == "No speed from 1 of 3 sensors: a (a-1)."
    assert outcome.numbers["sensors without history"] == 3


def test_nulls_on_an_empty_road_pass(table: Table, context: CheckContext) -> None:
    table.add_history("a-1")
    table.add("a-1", hours=(0, 18), volume="0", speed="null", occupancy="0")
    table.add("a-1", hours=(18, 24))
    assert measures_present(context).passed


def test_a_few_nulls_early_in_the_day_pass(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add_history("a-1")
    table.add("a-1", hours=(0, 1), speed="null")
    morning = context_at(reader, reading, MIDNIGHT + timedelta(hours=1))
    assert measures_present(morning).passed


def test_a_date_without_readings_is_not_evaluated(context: CheckContext) -> None:
    for check in (measures_present, values_change, occupancy_in_percent, quality_holds):
        outcome = check(context)
        assert outcome.passed
        assert not outcome.evaluated
        assert outcome.summary.startswith("Not evaluated: ")


def test_a_sensor_that_repeats_itself_while_vehicles_pass_is_named_with_its_values(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1", hours=(0, 8))
    table.add("a-1", hours=(8, 12), speed="51.5", volume="830", occupancy="7.25")
    table.add("a-1", hours=(12, 24))
    table.add("a-2")
    outcome = values_change(context)
    assert "1 of 2 sensors repeat the same values: a (a-1)" in outcome.summary
    row = outcome.sample[0]
    assert (row["speed"], row["volume"], row["occupancy"], row["readings"]) == (51.5, 830, 7.25, 24)
    assert row["first"] == MIDNIGHT + timedelta(hours=8)


def test_stuck_at_other_measures_with_a_null_is_stuck_too(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1", speed="null", volume="830", occupancy="7.25")
    assert not values_change(context).passed


@pytest.mark.parametrize(
    "stretch",
    [
        {"volume": "0", "speed": "0", "occupancy": "0"},  # an empty road
        {"hours": (8, 8.4), "every_s": 20},  # 24 minutes
        {"hours": (8, 9.5), "every_s": 600},  # nine readings
    ],
)
def test_an_empty_road_and_a_short_repetition_are_not_stuck(
    table: Table, context: CheckContext, stretch: dict[str, object]
) -> None:
    table.add("a-1", hours=(12, 24))
    same = {"hours": (8, 12), "speed": "51.5", "volume": "830", "occupancy": "7.25"}
    table.add("a-1", **same | stretch)  # pyright: ignore[reportArgumentType]
    assert values_change(context).passed


def test_a_speed_that_never_changes_all_day_is_stuck_while_volume_counts(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1", speed="0", occupancy="0")
    table.add("a-2")
    outcome = values_change(context)
    assert "a (a-1)" in outcome.summary
    assert outcome.sample[0]["finding"] == "speed and occupancy never changed"


def test_a_sensor_of_zeros_is_named_when_its_feed_counts_vehicles(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1", speed="0", volume="0", occupancy="0")
    table.add("a-2")
    table.add("empty-road-1", speed="0", volume="0", occupancy="0")
    assert "1 of 3 sensors repeat the same values: a (a-1)" in values_change(context).summary


def test_a_quiet_night_is_not_stuck_before_the_date_is_over(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("a-1", hours=(0, 3), every_s=60, speed="0", volume="0", occupancy="0")
    table.add("a-2", hours=(0, 3), every_s=60)
    assert values_change(context_at(reader, reading, MIDNIGHT + timedelta(hours=3))).passed
    assert not values_change(context_at(reader, reading)).passed


def test_occupancy_as_a_fraction_in_traffic_is_named(table: Table, context: CheckContext) -> None:
    table.add("a-1", occupancy="0.07 + random() / 100")
    table.add("b-1")
    outcome = occupancy_in_percent(context)
    assert "at 1 of 2 sensors, so it is a fraction: a (a-1)" in outcome.summary
    assert outcome.sample[0]["readings in traffic"] == 144


def test_low_occupancy_on_a_quiet_road_is_a_percentage(table: Table, context: CheckContext) -> None:
    table.add("a-1", volume="100", occupancy="0.4")
    outcome = occupancy_in_percent(context)
    assert outcome.passed
    assert not outcome.evaluated


def test_an_occupancy_of_zeros_alone_passes(table: Table, context: CheckContext) -> None:
    table.add("a-1", occupancy="0")
    assert occupancy_in_percent(context).passed


def test_a_fall_of_the_quality_score_is_named(table: Table, context: CheckContext) -> None:
    for sensor, score in (("a-1", 0.7), ("a-2", 0.95)):
        table.add_history(sensor)
        table.add(sensor, score=score)
    outcome = quality_holds(context)
    assert "at 1 of 2 sensors: a (a-1)" in outcome.summary
    assert outcome.sample[0]["score"] == 0.7


def test_a_score_that_was_always_low_passes(table: Table, context: CheckContext) -> None:
    table.add_history("a-1", score=0.6)
    table.add("a-1", score=0.6)
    outcome = quality_holds(context)
    assert outcome.passed
    assert outcome.evaluated
