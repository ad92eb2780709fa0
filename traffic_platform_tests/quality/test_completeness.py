"""Checks of completeness, on dates that lack readings."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from benchmarks.fortnight import Fortnight
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.completeness import every_event_has_its_reading, sensors_deliver
from traffic_platform.settings import Settings
from traffic_platform_tests.quality.conftest import DAY, MIDNIGHT, Table, context_at


def test_a_silent_sensor_is_named_with_what_was_expected(
    table: Table, context: CheckContext
) -> None:
    for sensor in ("a-1", "a-2"):
        table.add_history(sensor)
    table.add("a-2")
    outcome = sensors_deliver(context)
    assert "1 of 2 sensors lack more than half of theirs: a (a-1)" in outcome.summary
    assert outcome.sample[0] == {"sensor": "a-1", "readings": 0, "expected": 144, "days before": 13}


def test_the_same_weekdays_take_precedence_over_other_days(
    table: Table, context: CheckContext
) -> None:
    for weeks in (1, 2, 3):
        table.add("a-1", days_ago=7 * weeks, hours=(0, 4))  # half-empty every Tuesday
    for days_ago in (1, 2, 3, 4, 5, 6):
        table.add("a-1", days_ago=days_ago)
    table.add("a-1", hours=(0, 4))
    outcome = sensors_deliver(context)
    assert outcome.passed
    assert outcome.numbers["readings expected"] == 24


def test_an_outage_of_some_hours_fails_although_no_sensor_is_silent(
    table: Table, context: CheckContext
) -> None:
    for sensor in ("a-1", "a-2"):
        table.add_history(sensor)
        table.add(sensor, hours=(0, 20))
    outcome = sensors_deliver(context)
    assert not outcome.passed
    assert outcome.summary.startswith("240 readings are stored, 288 were expected. 0 of 2 sensors")


def test_a_date_that_is_not_over_is_compared_up_to_the_same_time_of_day(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add_history("a-1")
    table.add("a-1", hours=(0, 6))
    morning = context_at(reader, reading, MIDNIGHT + timedelta(hours=6, minutes=9))
    assert sensors_deliver(morning).passed
    assert not sensors_deliver(context_at(reader, reading)).passed


@pytest.mark.parametrize("days", [0, 2])
def test_a_new_sensor_is_not_expected(table: Table, context: CheckContext, days: int) -> None:
    table.add_history("a-1", days=days)
    outcome = sensors_deliver(context)
    assert outcome.passed
    assert not outcome.evaluated


def test_a_sensor_on_its_first_day_is_not_evaluated_but_named_with_its_begin(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("b-1", hours=(14.5, 24))
    alone = sensors_deliver(context_at(reader, reading))
    assert not alone.evaluated
    assert "on their first day are b-1 (since 14:30 UTC)" in alone.summary
    table.add_history("a-1")
    table.add("a-1")
    table.add_history("b-2", days=1)
    table.add("b-2", hours=(6, 24))
    outcome = sensors_deliver(context_at(reader, reading))
    assert outcome.passed
    assert outcome.summary.endswith("Not evaluated: on their first day are b-1 (since 14:30 UTC).")
    assert outcome.numbers["sensors on their first day"] == 1


def test_dates_are_those_of_the_platforms_zone(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    context = context_at(reader, reading, timezone="America/Los_Angeles")
    assert context.begin == MIDNIGHT + timedelta(hours=7)
    assert context.end == MIDNIGHT + timedelta(hours=31)
    table.add("a-1", hours=(0, 7))
    assert context.sensors == []


def test_days_with_a_clock_change_have_their_own_length(
    reader: psycopg.Connection, reading: Settings
) -> None:
    url = reading.reading_url()
    autumn = CheckContext(
        reader, url, DAY.replace(month=11, day=2), "America/Los_Angeles", MIDNIGHT
    )
    assert autumn.end - autumn.begin == timedelta(hours=25)


def test_a_reading_that_was_deleted_is_named_by_its_event(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    Fortnight(days=1, sensors=1).store(owner)
    assert every_event_has_its_reading(context).passed
    owner.execute(
        "delete from traffic.traffic_readings r using traffic.sensors s"
        " where s.sensor_id = r.sensor_id and external_id = 'east-1' and \"timestamp\" < %s",
        [MIDNIGHT + timedelta(minutes=30)],
    )
    outcome = every_event_has_its_reading(context)
    assert outcome.numbers["readings missing"] == 2
    assert "The first is of east-1 at 2025-10-14T00:00:00Z" in outcome.summary
    assert outcome.sample[0]["topic_no"] == 1


def test_a_sensor_with_another_interval_is_expected_to_deliver_as_the_new_one_gives(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    for sensor in ("a-1", "a-2"):
        table.add_history(sensor)
    for weeks in (1, 2, 3):
        table.add("a-3", days_ago=7 * weeks)
    for sensor in ("a-1", "a-3"):
        begin_period(table, sensor, days_ago=30, interval_s=600)
        begin_period(table, sensor, days_ago=0, interval_s=1800)
        table.add(sensor, every_s=1800)
    begin_period(table, "a-2", days_ago=0, retired=True)
    outcome = sensors_deliver(context_at(reader, reading))
    assert outcome.passed, outcome.summary
    assert outcome.numbers["readings expected"] == 96
    assert outcome.numbers["sensors compared"] == 2


def begin_period(table: Table, sensor: str, *, days_ago: int, **values: object) -> None:
    """Let a value of a sensor apply from a midnight on."""
    ((column, value),) = values.items()
    table.owner.execute(
        f"insert into traffic.sensor_periods (sensor_id, valid_from, {column}, source)"
        " select sensor_id, %s, %s, 'imported' from traffic.sensors where external_id = %s"
        " on conflict do nothing",  # pyright: ignore[reportArgumentType]
        (MIDNIGHT - timedelta(days=days_ago), value, sensor),
    )
