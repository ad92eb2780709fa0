"""The queries of docs/sql.md, read out of the page and run as the reading role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from benchmarks.queries import PAGE, queries_of_page
from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.settings import Settings
from traffic_platform_tests.rollups.readings import Reading, add_sensor
from traffic_platform_tests.rollups.rolled import deliver, roll_up_everything

ZONE = "America/Los_Angeles"
CHAPTERS = PAGE.read_text().split("\n## ")[1:]
QUERIES = queries_of_page()


def day_at_seven(day: date) -> datetime:
    """7:00 there, in UTC."""
    return datetime(day.year, day.month, day.day, 7, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def hours(day: date, speed: float) -> list[Reading]:
    """7:00 to 8:59 on a day, a reading every 5 minutes: 1,200 vehicles per hour."""
    start = day_at_seven(day)
    return [
        Reading(start + timedelta(minutes=5 * number), volume=1200, speed=speed)
        for number in range(24)
    ]


@pytest.fixture
def yesterday() -> date:
    """There."""
    return datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)


@pytest.fixture
def stocked(
    owner: psycopg.Connection, in_zone: Callable[..., Settings], yesterday: date
) -> Settings:
    """Two detectors on I-205: the first is slow yesterday, faster after a date; one is silent."""
    settings = in_zone(ZONE)
    for number, name in enumerate(("slow", "fast", "silent")):
        add_sensor(
            owner, name, road="I-205", direction="NORTH", milepost=10.0 + number, interval_s=300,
            length_mi=1.0, free_flow_mph=60.0,
        )  # fmt: skip
    for name, speed in (("slow", 20.0), ("fast", 60.0)):
        deliver(owner, name, hours(yesterday, speed))
    for week in range(4):
        deliver(owner, "slow", hours(date(2025, 9, 9) + timedelta(weeks=week), 30.0))
        deliver(owner, "slow", hours(date(2025, 10, 7) + timedelta(weeks=week), 50.0))
    whole_day = [
        Reading(day_at_seven(date(2025, 8, 4)) + timedelta(minutes=5 * number), volume=600)
        for number in range(-7 * 12, 17 * 12)
    ]
    deliver(owner, "fast", whole_day)
    owner.execute(
        "insert into traffic.sensor_periods (sensor_id, valid_from, interval_s, length_mi, source)"
        " select sensor_id, '2025-10-06 00:00+00', 300, 2.0, 'imported' from traffic.sensors"
        " where external_id = 'silent'"
    )
    roll_up_everything(owner)
    compute_health(settings, yesterday)
    return settings


@pytest.fixture
def ask(stocked: Settings, reader: psycopg.Connection) -> Callable[[str], list[dict[str, Any]]]:
    """Run the query under the heading that begins with these words."""

    def run(words: str) -> list[dict[str, Any]]:
        [query] = [query for title, query in QUERIES.items() if title.startswith(words)]
        with reader.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query).fetchall()  # pyright: ignore[reportArgumentType]

    return run


Ask = Callable[[str], list[dict[str, Any]]]


def test_every_chapter_has_one_query() -> None:
    assert len(QUERIES) == len(CHAPTERS) == PAGE.read_text().count("```sql\n") > 5


@pytest.mark.parametrize("title", QUERIES)
def test_every_query_runs_as_the_reading_role(ask: Ask, title: str) -> None:
    assert ask(title)


def test_the_worst_place_of_yesterday_is_named_with_the_hours_lost(ask: Ask) -> None:
    [worst] = ask("Worst congestion")
    assert (worst["external_id"], worst["milepost"]) == ("slow", 10.0)
    # 2,400 vehicles over a mile: at 20 instead of 60 mph.
    assert float(worst["hours_lost"]) == 2400 / 20 - 2400 / 60
    assert float(worst["travel_time_index"]) == 3.0
    assert float(worst["observed_percent"]) in (8, 9)  # 9 where the clock leaves out an hour


def test_the_sensor_that_changed_is_named_with_the_values_before_and_after(ask: Ask) -> None:
    [changed] = ask("Sensors that changed")
    assert (changed["external_id"], changed["source"]) == ("silent", "imported")
    assert (changed["miles_before"], changed["length_mi"]) == (1.0, 2.0)
    assert changed["interval_before"] == changed["interval_s"] == 300


def test_the_hours_of_a_road_are_those_of_its_clock(ask: Ask) -> None:
    hours_of_day = ask("Worst hours")
    assert [row["hour"] for row in hours_of_day] == ["07:00", "08:00"]
    assert {float(row["speed_mph"]) for row in hours_of_day} == {40.0}
    assert {float(row["vehicles"]) for row in hours_of_day} == {2400}


def test_the_contour_has_a_row_for_each_place_and_quarter_of_an_hour(ask: Ask) -> None:
    contour = ask("Speed contour")
    assert len(contour) == 2 * 8
    assert {(row["milepost"], float(row["speed_mph"])) for row in contour} == {
        (10.0, 20.0), (11.0, 60.0)
    }  # fmt: skip


def test_the_silent_detector_is_down(ask: Ask) -> None:
    down = {row["external_id"]: row["diagnoses"] for row in ask("Detectors down")}
    assert down["silent"] == "no_data"


def test_before_and_after_compares_the_same_hours(ask: Ask) -> None:
    [slow] = [row for row in ask("Before and after") if row["external_id"] == "slow"]
    assert (slow["days_before"], slow["days_after"]) == (4, 4)
    assert (float(slow["mph_before"]), float(slow["mph_after"])) == (30.0, 50.0)
    assert float(slow["hours_lost_an_hour_before"]) == 1200 / 30 - 1200 / 60
    assert float(slow["hours_lost_an_hour_after"]) == 1200 / 50 - 1200 / 60


def test_a_typical_day_is_one_that_is_nearly_complete(ask: Ask) -> None:
    [monday] = ask("Traffic on a typical")
    assert (monday["external_id"], monday["weekday"], monday["days"]) == ("fast", "Mon", 1)
    assert float(monday["vehicles"]) == 24 * 600
