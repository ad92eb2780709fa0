"""Detector health of days in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from traffic_platform.detector_health.daily_health import DayHealth, compute_health
from traffic_platform.detector_health.local_day import local_day
from traffic_platform.errors import PermanentError
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import infer
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings, SettingsError
from traffic_platform_tests.detector_health.scalar_health import Measured, scalar_diagnosis
from traffic_platform_tests.rollups.readings import (
    Reading,
    add_readings,
    add_sensor,
    every,
    health_of,
)

SATURDAY = date(2025, 10, 4)
MIDNIGHT = datetime(2025, 10, 4, tzinfo=UTC)
FIVE = MIDNIGHT + timedelta(hours=5)
WHOLE = 204  # readings from 05:00 to 21:59, one every 300 s
InZone = Callable[..., Settings]


def compute(settings: Settings, day: date = SATURDAY, now: datetime | None = None) -> DayHealth:
    """The day, some days after it."""
    later = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=3)
    infer_intervals(settings)
    return compute_health(settings, day, now or later)


def infer_intervals(settings: Settings) -> None:
    """Infer intervals, as the first roll-up and the nightly job do."""
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as connection:
        infer(connection)


def diagnoses(health: DayHealth) -> dict[str, str]:
    """Diagnosis by external id."""
    return {health.names[row.sensor_id]: row.diagnosis for row in health.rows}


# --- against the scalar version ---------------------------------------------------------------


def random_day(generator: np.random.Generator) -> tuple[list[Measured], bool]:
    """A day of a sensor with one reading every 300 s, near one of the thresholds; whether rural."""
    count = int(generator.choice([0, 1, 122, 123, 150, WHOLE]))
    numbers = np.sort(generator.choice(WHOLE, count, replace=False))
    volume = generator.integers(1, 20, count) * 60
    occupancy = generator.integers(1, 60, count) / 2
    fault = generator.integers(0, 10)
    rural = bool(generator.integers(0, 2))

    def some(percent: float) -> Any:
        return generator.permutation(count)[: int(count * percent / 100 + generator.integers(0, 3))]

    if fault == 1:
        occupancy[some(90 if rural else 59)] = 0
        volume[occupancy == 0] = 0
    if fault == 2:
        occupancy[some(20)] = generator.choice([70.0, 70.5, 100.0])
    if fault == 3:
        volume[some(2)] = 0
    if fault == 4:
        occupancy[some(50)] = 0
    if fault == 5:
        first = int(generator.integers(0, 60))
        occupancy[first : first + int(generator.integers(46, 51))] = generator.choice([0.0, 12.5])
    volumes: list[int | None] = volume.tolist()
    occupancies: list[float | None] = occupancy.tolist()
    if fault == 6:
        occupancies = [None] * count
    if fault == 7:
        volumes = [None] * count
    if fault == 8:
        for number in some(40):
            occupancies[number] = None
    if fault == 9:
        for number in some(70):
            volumes[number], occupancies[number] = 0, None
    seconds = (numbers * 300.0 + generator.integers(0, 300, count)).tolist()
    return list(zip(seconds, volumes, occupancies, strict=True)), rural


@pytest.mark.parametrize(
    ("timezone", "day"),
    [
        ("UTC", SATURDAY),
        ("America/Los_Angeles", date(2025, 3, 9)),  # the clocks go forward
        ("America/Los_Angeles", date(2025, 11, 2)),  # and back
        ("Asia/Kathmandu", date(2025, 12, 31)),  # 5 h 45 min ahead
    ],
)
def test_diagnoses_are_those_of_the_scalar_version(
    owner: psycopg.Connection, in_zone: InZone, timezone: str, day: date
) -> None:
    settings = in_zone(timezone)
    generator = np.random.default_rng(day.toordinal())
    start = datetime.combine(day, datetime.min.time(), ZoneInfo(timezone)).replace(hour=5)
    start = start.astimezone(UTC)
    expected: dict[str, str] = {}
    for number in range(300):
        name = f"d-{number}"
        measured, rural = random_day(generator)
        add_sensor(owner, name, rural=rural, interval_s=300)
        add_readings(owner, name, [Reading(start - timedelta(days=2))])
        add_readings(
            owner, name, [Reading(start + timedelta(seconds=s), v, o) for s, v, o in measured]
        )
        expected[name] = scalar_diagnosis(measured, 300, rural=rural)
    assert diagnoses(compute(settings, day)) == expected
    assert set(expected.values()) == {
        "no_data", "insufficient_data", "card_off", "high_value", "intermittent", "constant",
        "good", "not_evaluated",
    }  # fmt: skip


@pytest.mark.parametrize("interval_s", [20, 60, 301, 900])
def test_rows_of_equal_samples_are_those_of_the_scalar_version_at_any_interval(
    owner: psycopg.Connection, in_zone: InZone, interval_s: int
) -> None:
    generator = np.random.default_rng(interval_s)
    expected: dict[str, str] = {}
    seconds = np.arange(0, 17 * 3600, interval_s)
    for number in range(20):
        name = f"d-{number}"
        occupancy = generator.choice([0.5, 7.3, 12.1], len(seconds))
        first, length = int(generator.integers(0, 20_000)), int(generator.integers(13_800, 15_600))
        occupancy[(seconds >= first) & (seconds < first + length)] = 7.3
        measured: list[Measured] = [
            (float(second), 900, value)
            for second, value in zip(seconds.tolist(), occupancy.tolist(), strict=True)
        ]
        add_sensor(owner, name, interval_s=interval_s)
        add_readings(
            owner, name, [Reading(FIVE + timedelta(seconds=s), v, o) for s, v, o in measured]
        )
        expected[name] = scalar_diagnosis(measured, interval_s)
    assert diagnoses(compute(in_zone())) == expected


# --- who gets a row ---------------------------------------------------------------------------


def test_a_sensor_has_no_row_before_it_existed(owner: psycopg.Connection, in_zone: InZone) -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    add_sensor(owner, "imported that noon", registered_at=noon)
    add_sensor(owner, "imported the day before", registered_at=noon - timedelta(days=1))
    add_sensor(owner, "seen later", origin="seen", registered_at=noon)
    add_readings(owner, "seen later", every(60, noon + timedelta(days=1), 10))
    add_sensor(owner, "imported and seen later", registered_at=noon + timedelta(days=1))
    add_readings(owner, "imported and seen later", every(60, noon + timedelta(days=1), 10))
    assert diagnoses(compute(in_zone())) == {"imported the day before": "no_data"}


def test_history_that_is_loaded_later_is_judged_although_the_sensor_was_registered_after_it(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    later = MIDNIGHT + timedelta(days=30)
    add_sensor(owner, "a", origin="seen", registered_at=later)
    add_readings(owner, "a", every(300, FIVE, WHOLE))
    assert diagnoses(compute(in_zone())) == {"a": "good"}


def test_a_sensor_that_was_only_seen_is_forgotten_after_a_while_and_an_imported_one_never(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    for name, days in (("a", 2), ("b", 70)):
        for origin in ("seen", "imported"):
            add_sensor(owner, f"{name} {origin}", origin=origin)
            add_readings(owner, f"{name} {origin}", every(300, FIVE - timedelta(days=days), 9))
    expected = {"a seen": "no_data", "a imported": "no_data", "b imported": "no_data"}
    assert diagnoses(compute(in_zone())) == expected
    assert diagnoses(compute(in_zone(health_forget_days=80))) == expected | {"b seen": "no_data"}


def test_readings_at_other_hours_only_are_not_evaluated_unless_the_sensor_has_stopped(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    night = every(60, MIDNIGHT, 60)
    add_sensor(owner, "never seen by day")
    add_readings(owner, "never seen by day", night)
    add_sensor(owner, "stopped at one")
    add_readings(owner, "stopped at one", every(60, MIDNIGHT - timedelta(hours=12), 13 * 60))
    add_sensor(owner, "begins at ten in the evening", origin="seen")
    begin = FIVE + timedelta(hours=17)
    add_readings(owner, "begins at ten in the evening", every(60, begin, 60))
    assert diagnoses(compute(in_zone())) == {
        "never seen by day": "not_evaluated",
        "stopped at one": "no_data",
        "begins at ten in the evening": "not_evaluated",
    }


@pytest.mark.parametrize(("hour", "over"), [(12, False), (23.99, False), (24, True)])
def test_a_day_is_evaluated_once_it_is_over(
    owner: psycopg.Connection, in_zone: InZone, hour: float, over: bool
) -> None:
    add_sensor(owner, "a", interval_s=300)
    add_readings(owner, "a", every(300, FIVE, WHOLE))
    add_sensor(owner, "silent")
    health = compute(in_zone(), now=MIDNIGHT + timedelta(hours=hour))
    expected = {"a": "good", "silent": "no_data"} if over else {"not_evaluated"}
    assert (diagnoses(health) if over else set(diagnoses(health).values())) == expected
    if not over:
        assert {row.seen for row in health.rows} == {"The day is not over."}
        assert health.good_percent is None


def test_the_day_a_sensor_begins_is_not_evaluated_and_the_next_one_is(
    owner: psycopg.Connection, in_zone: InZone, reader: psycopg.Connection
) -> None:
    settings = in_zone()
    begins = {
        "with the window": FIVE,
        "an interval later": FIVE + timedelta(minutes=5),
        "at noon": FIVE + timedelta(hours=7),
    }
    for name, begin in begins.items():
        add_sensor(owner, name, origin="seen")
        add_readings(owner, name, every(300, begin, 500))
    compute(settings)
    assert health_of(reader) == {
        "with the window": "good", "an interval later": "good", "at noon": "not_evaluated",
    }  # fmt: skip
    assert health_of(reader, "seen")["at noon"] == (
        "Its first day: reporting since 2025-10-04 12:00."
    )
    sunday = SATURDAY + timedelta(days=1)
    assert set(diagnoses(compute(settings, sunday)).values()) == {"good"}
    # What came before it and was dropped is known from its diagnoses.
    friday = SATURDAY - timedelta(days=1)
    owner.execute(
        "update traffic.detector_health set date = %s where date = %s", (friday, SATURDAY)
    )
    assert diagnoses(compute(settings))["at noon"] == "insufficient_data"


def test_a_day_that_a_zone_left_out_has_no_rows(owner: psycopg.Connection, in_zone: InZone) -> None:
    add_sensor(owner, "a", registered_at=datetime(2011, 1, 1, tzinfo=UTC))
    add_readings(owner, "a", every(300, datetime(2011, 12, 28, tzinfo=UTC), 1_000))
    settings = in_zone("Pacific/Apia")
    assert compute(settings, date(2011, 12, 30)).rows == []
    assert len(compute(settings, date(2011, 12, 31)).rows) == 1


# --- intervals --------------------------------------------------------------------------------


def test_an_interval_that_nobody_imported_is_the_most_frequent_gap(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", origin="seen")
    jitter = np.random.default_rng(1).uniform(-0.2, 0.2, 2_000)
    add_readings(
        owner,
        "a",
        [
            Reading(
                FIVE + timedelta(seconds=30 * number + float(jitter[number])), occupancy=number % 9
            )
            for number in range(2_000)
            if number % 11
        ],
    )
    [row] = compute(in_zone()).rows
    assert (row.interval_s, row.interval_inferred, row.expected_samples) == (30, True, 2_040)
    assert row.diagnosis == "good"


def test_a_day_of_every_second_reading_is_no_other_interval(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", origin="seen")
    add_readings(owner, "a", every(60, MIDNIGHT - timedelta(days=3), 3 * 1_440))
    settings = in_zone()
    infer_intervals(settings)
    add_readings(owner, "a", every(120, MIDNIGHT + timedelta(minutes=2), 719))
    add_readings(owner, "a", every(60, MIDNIGHT + timedelta(days=1), 230))
    [row] = compute(settings).rows
    assert (row.interval_s, row.diagnosis) == (60, "insufficient_data")


def test_an_imported_interval_goes_first(owner: psycopg.Connection, in_zone: InZone) -> None:
    add_sensor(owner, "a", interval_s=20)
    add_readings(owner, "a", every(60, FIVE, 1_020))
    [row] = compute(in_zone()).rows
    assert (row.interval_s, row.interval_inferred, row.expected_samples) == (20, False, 3_060)
    assert row.diagnosis == "insufficient_data"


def test_one_reading_tells_no_interval_and_is_not_evaluated(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", origin="seen")
    add_readings(owner, "a", every(60, FIVE, 1))
    [row] = compute(in_zone()).rows
    assert (row.diagnosis, row.interval_s, row.expected_samples) == ("not_evaluated", None, None)


def test_an_interval_that_changes_in_the_day_counts_for_its_part(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", interval_s=20)
    settings = in_zone()
    noon = MIDNIGHT + timedelta(hours=12)
    store_sensors(settings, [SensorRecord(sensor_uuid("a"), "a", {"interval_s": 60}, noon)])
    add_readings(owner, "a", every(20, MIDNIGHT - timedelta(days=1), 6_480, volume=1_200))
    add_readings(owner, "a", every(60, noon, 720, volume=1_200))
    [row] = compute(settings).rows
    assert (row.diagnosis, row.interval_s, row.interval_inferred) == ("good", 60, False)
    assert (row.samples, row.expected_samples) == (1_860, 1_260 + 600)
    assert row.vehicles == 17 * 1_200
    [before] = compute(settings, SATURDAY - timedelta(days=1)).rows
    assert (before.interval_s, before.expected_samples) == (20, 3_060)


def test_a_sensor_is_not_diagnosed_after_it_was_retired(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone()
    for name in ("retired", "silent"):
        add_sensor(owner, name, interval_s=300)
        add_readings(owner, name, every(300, MIDNIGHT - timedelta(days=1), 288 + 96))
    at_eight = MIDNIGHT + timedelta(hours=8)
    record = SensorRecord(sensor_uuid("retired"), "retired", {"retired": True}, at_eight)
    store_sensors(settings, [record])
    health = compute(settings)
    assert diagnoses(health) == {"retired": "not_evaluated", "silent": "insufficient_data"}
    assert "Its last day: retired at 2025-10-04 08:00." in {row.seen for row in health.rows}
    assert diagnoses(compute(settings, SATURDAY + timedelta(days=1))) == {"silent": "no_data"}


# --- a planted day ----------------------------------------------------------------------------


@pytest.fixture
def planted(owner: psycopg.Connection) -> dict[str, str]:
    """A day of 20-second readings with one fault each; the diagnosis of each sensor."""
    count = 3_060
    clean = every(20, FIVE, count)

    fraction = [replace(reading, occupancy=(reading.occupancy or 0) / 100) for reading in clean]

    def changed(share: float, **measures: Any) -> list[Reading]:
        """The first part of the day with other measures."""
        cut = round(share * count)
        return [*every(20, FIVE, cut, **measures), *clean[cut:]]

    days: dict[str, tuple[str, list[Reading]]] = {
        "healthy": ("good", clean),
        "healthy too": ("good", clean),
        "cut line": ("insufficient_data", [*clean[:600], *clean[2_400:]]),
        "switched off": ("card_off", changed(0.97, volume=0, occupancy=0.0, speed=None)),
        "empty road": ("good", changed(0.80, volume=0, occupancy=0.0, speed=None)),
        "locked on": ("high_value", changed(0.3, volume=900, occupancy=100.0)),
        "loose splice": ("intermittent", changed(0.05, volume=0, occupancy=9.0, speed=None)),
        "counts without presence": ("intermittent", changed(0.55, occupancy=0.0)),
        "repeats itself": ("constant", changed(0.3, occupancy=12.3, volume=720, speed=61.0)),
        "sends a fraction": ("good", fraction),
        "leaves nothing out but empty roads": (
            "good", changed(0.6, volume=0, occupancy=None, speed=None)
        ),
        "no occupancy": ("not_evaluated", every(20, FIVE, count, occupancy=None)),
    }  # fmt: skip
    for name, (_, readings) in days.items():
        add_sensor(owner, name, rural=name == "empty road", interval_s=20, station_id="north")
        add_readings(owner, name, readings)
    for number in (1, 2):
        add_sensor(owner, f"dead station {number}", interval_s=20, station_id="south")
        add_readings(owner, f"dead station {number}", every(20, FIVE - timedelta(days=1), count))
    add_sensor(owner, "unplugged", interval_s=20, station_id="north")
    silent = {"dead station 1": "no_data", "dead station 2": "no_data", "unplugged": "no_data"}
    return {name: diagnosis for name, (diagnosis, _) in days.items()} | silent


def test_every_planted_fault_is_found_and_nothing_else(
    planted: dict[str, str], reader: psycopg.Connection, in_zone: InZone
) -> None:
    health = compute(in_zone())
    assert diagnoses(health) == planted
    assert health_of(reader) == planted
    assert health.counts["good"] == 5
    assert health.good_percent == pytest.approx(100 * 5 / 14)


def test_the_table_holds_the_figures_and_the_advice(
    planted: dict[str, str], reader: psycopg.Connection, in_zone: InZone
) -> None:
    compute(in_zone())
    found = health_of(reader, "seen, field, scope")
    assert found["cut line"][0].startswith("1,260 of 3,060 expected samples (41.2 %")
    assert "Longest time without a reading: 10 h 00 min." in found["cut line"][0]
    assert "in 2,968 of 3,060 readings (97.0 %)" in found["switched off"][0]
    assert "Occupancy is 12.3 % in 61 5-minute samples in a row" in found["repeats itself"][0]
    assert "from 2025-10-04 05:00" in found["repeats itself"][0]
    assert {name: scope for name, (_, _, scope) in found.items() if scope} == {
        "dead station 1": "station",
        "dead station 2": "station",
        "unplugged": "detector",
    }
    broken = {n for n, d in planted.items() if d not in ("good", "not_evaluated")}
    assert {name for name, (_, field, _) in found.items() if field} == broken


def test_figures_that_are_no_test_are_kept_as_well(
    planted: dict[str, str], reader: psycopg.Connection, in_zone: InZone
) -> None:
    compute(in_zone())
    columns = "readings, samples, expected_samples, vehicles, without_speed_percent, longest_gap_s"
    found = health_of(reader, columns)
    assert found["healthy"] == (3_060, 3_060, 3_060, 900 * 17, 0.0, None)
    assert found["cut line"] == (1_260, 1_260, 3_060, 6_300, 0.0, 1_801 * 20)
    assert found["unplugged"] == (0, 0, 3_060, None, None, 17 * 3600)


def test_when_all_are_silent_the_feed_is_named_and_not_the_field(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    for name in ("a", "b"):
        add_sensor(owner, name)
    compute(in_zone())
    assert health_of(reader, "scope") == {"a": "feed", "b": "feed"}


# --- again and again --------------------------------------------------------------------------


def test_computed_again_a_day_has_the_same_rows(
    planted: dict[str, str], reader: psycopg.Connection, in_zone: InZone
) -> None:
    rows = "select to_jsonb(h) from traffic.detector_health h order by sensor_id"
    first = (compute(in_zone()), reader.execute(rows).fetchall())
    assert (compute(in_zone()), reader.execute(rows).fetchall()) == first


def test_late_data_and_other_thresholds_change_a_day_that_is_computed_again(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", interval_s=300)
    add_readings(owner, "a", every(300, FIVE, 100))
    compute(in_zone())
    assert health_of(reader) == {"a": "insufficient_data"}
    compute(in_zone(health_min_samples_percent=40))
    assert health_of(reader) == {"a": "good"}
    compute(in_zone())
    add_readings(owner, "a", every(300, FIVE + timedelta(seconds=30_000), 100))
    compute(in_zone())
    assert health_of(reader) == {"a": "good"}


def test_a_row_whose_sensor_is_no_longer_judged_goes(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", origin="seen")
    add_readings(owner, "a", every(300, FIVE, WHOLE))
    compute(in_zone(), SATURDAY)
    compute(in_zone(), SATURDAY + timedelta(days=1))
    owner.execute(
        "delete from traffic.traffic_readings where \"timestamp\" < '2025-10-04 12:00+00'"
    )
    owner.execute('update traffic.traffic_readings set "timestamp" = "timestamp" + \'1 day\'')
    compute(in_zone(), SATURDAY)
    assert health_of(reader, "date, diagnosis") == {"a": (SATURDAY + timedelta(days=1), "no_data")}


def test_since_and_last_good_look_back_over_days_that_were_not_evaluated(
    owner: psycopg.Connection, reader: psycopg.Connection, in_zone: InZone
) -> None:
    add_sensor(owner, "a", interval_s=300)
    off = {"volume": 0, "occupancy": 0.0}
    for number, measures in enumerate(({}, off, None, off, off)):
        begin = FIVE + timedelta(days=number)
        if measures is not None:
            add_readings(owner, "a", every(300, begin, WHOLE, **measures))
    for number in range(5):
        compute(in_zone(), SATURDAY + timedelta(days=number))
    owner.execute(
        "update traffic.detector_health set diagnosis = 'not_evaluated' where date = %s",
        (SATURDAY + timedelta(days=2),),
    )
    rows = reader.execute(
        "select date, diagnosis, since, last_good from traffic.detector_health_detail order by date"
    ).fetchall()
    days = [SATURDAY + timedelta(days=number) for number in range(5)]
    assert rows == [
        (days[0], "good", days[0], days[0]),
        (days[1], "card_off", days[1], days[0]),
        (days[2], "not_evaluated", days[2], days[0]),
        (days[3], "card_off", days[1], days[0]),
        (days[4], "card_off", days[1], days[0]),
    ]


# --- what goes wrong --------------------------------------------------------------------------


def test_another_zone_than_the_databases_is_refused(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone("UTC").model_copy(update={"timezone": "Europe/Berlin"})
    with pytest.raises(SettingsError, match="TRAFFIC_TIMEZONE is 'Europe/Berlin'"):
        compute(settings)


def test_a_role_that_may_not_write_is_told_so(owner: psycopg.Connection, in_zone: InZone) -> None:
    settings = in_zone()
    settings = settings.model_copy(update={"ingest_database_url": settings.read_database_url})
    add_sensor(owner, "a")
    with pytest.raises(PermanentError, match="permission denied for table detector_health"):
        compute(settings)


@pytest.fixture
def computed(owner: psycopg.Connection, in_zone: InZone) -> Settings:
    """One sensor whose good day is computed."""
    settings = in_zone()
    add_sensor(owner, "a", interval_s=300)
    add_readings(owner, "a", every(300, FIVE, WHOLE))
    compute(settings)
    return settings


def test_readings_can_be_written_and_health_be_read_while_a_day_is_replaced(
    computed: Settings, owner: psycopg.Connection, reader: psycopg.Connection
) -> None:
    with psycopg.connect(computed.endpoints().ingest_url) as replacing:
        replacing.execute("lock table traffic.detector_health in share row exclusive mode")
        replacing.execute("delete from traffic.detector_health")
        owner.execute("set lock_timeout = '5s'")
        reader.execute("set lock_timeout = '5s'")
        add_sensor(owner, "b")
        add_readings(owner, "b", every(300, FIVE, 10))
        assert health_of(reader) == {"a": "good"}
        replacing.rollback()


def test_a_local_days_rows_are_of_the_platforms_zone(
    owner: psycopg.Connection, in_zone: InZone
) -> None:
    settings = in_zone("Asia/Tokyo")
    local = local_day(SATURDAY, "Asia/Tokyo")
    add_sensor(owner, "a", interval_s=300)
    add_readings(owner, "a", every(300, local.window_start, WHOLE))
    [row] = compute(settings).rows
    assert (row.diagnosis, row.readings) == ("good", WHOLE)
    assert compute(settings, SATURDAY - timedelta(days=1)).rows[0].readings == 0
