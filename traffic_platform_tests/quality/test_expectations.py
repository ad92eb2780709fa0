"""Expectations on every row of a date, with rows that no stream can produce."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.expectations import (
    measures_in_range,
    messages_give_one_reading,
    readings_have_sensors,
    required_columns_filled,
)
from traffic_platform_tests.quality.conftest import MIDNIGHT, Table

CHECKS = (
    measures_in_range,
    required_columns_filled,
    readings_have_sensors,
    messages_give_one_reading,
)


def test_rows_as_ingest_writes_them_meet_every_expectation(
    table: Table, context: CheckContext
) -> None:
    table.add("a-1")
    table.add("a-2", speed="null", volume="0", occupancy="0")
    for check in CHECKS:
        outcome = check(context)
        assert outcome.passed, outcome.summary
        assert outcome.evaluated


@pytest.mark.parametrize(
    ("column", "value"),
    [("speed", "-1"), ("speed", "301"), ("volume", "100001"), ("occupancy", "100.5")],
)
def test_an_impossible_measure_is_named_with_its_sensor(
    table: Table, context: CheckContext, column: str, value: str
) -> None:
    table.add("a-1", hours=(0, 1))
    table.add("a-1", hours=(1, 1.1), **{column: value})  # pyright: ignore[reportArgumentType]
    outcome = measures_in_range(context)
    assert outcome.summary == f"Values out of their range: 1 ({column})."
    assert [row["sensor"] for row in outcome.sample] == ["a-1"]
    assert outcome.sample[0]["timestamp"] == MIDNIGHT + timedelta(hours=1)


def test_a_null_in_a_required_column_is_found(table: Table, context: CheckContext) -> None:
    table.add("a-1")
    table.owner.execute("alter table traffic.traffic_readings alter quality_score drop not null")
    table.owner.execute(
        'update traffic.traffic_readings set quality_score = null where "timestamp" = %s',
        [MIDNIGHT],
    )
    outcome = required_columns_filled(context)
    assert outcome.summary == "Null values in required columns: 1 (quality_score)."
    assert outcome.sample[0]["sensor"] == "a-1"


def test_a_reading_without_its_sensor_is_found(table: Table, context: CheckContext) -> None:
    table.add("a-1", hours=(0, 1))
    keys = table.owner.execute(
        "select conrelid::regclass::text, conname from pg_constraint where contype = 'f'"
        " and confrelid = 'traffic.sensors'::regclass and conparentid = 0"
        " and conrelid::regclass::text like 'traffic.traffic_readings%'"
    ).fetchall()
    for name, key in keys:
        table.owner.execute(f'alter table {name} drop constraint "{key}"')  # pyright: ignore
    table.owner.execute("delete from traffic.sensors")
    outcome = readings_have_sensors(context)
    assert outcome.summary == "Readings of unknown sensors: 6 (rows)."
    assert len(outcome.sample) == 6


def test_two_readings_of_one_message_are_found(table: Table, context: CheckContext) -> None:
    table.add("a-1", hours=(0, 1))
    table.owner.execute(
        'update traffic.traffic_readings set "offset" = 7 where "timestamp" < %s',
        [MIDNIGHT + timedelta(minutes=20)],
    )
    outcome = messages_give_one_reading(context)
    assert outcome.summary == "Messages with several readings: 1 (rows)."
    assert [row["offset"] for row in outcome.sample] == [7, 7]


def test_rows_of_other_dates_are_not_read(table: Table, context: CheckContext) -> None:
    table.add("a-1", days_ago=1, speed="-1")
    assert not measures_in_range(context).evaluated
    table.add("a-1")
    assert measures_in_range(context).passed


def test_great_expectations_is_not_imported_for_a_date_without_rows() -> None:
    program = (
        "import sys, traffic_platform.quality.checks; print('great_expectations' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
