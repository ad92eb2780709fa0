"""Each diagnosis at its threshold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from traffic_platform.detector_health.diagnosis import (
    TESTS,
    Diagnosis,
    Finding,
    SensorDay,
    diagnose,
)
from traffic_platform.detector_health.diagnosis_text import advise, describe_finding
from traffic_platform.detector_health.local_day import local_day
from traffic_platform.detector_health.thresholds import Thresholds
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.settings import Settings

LOCAL = local_day(date(2025, 10, 4), "UTC")
LIMITS = Thresholds()
# 1,000 readings of 1,020 expected: shares are round numbers.
GOOD = SensorDay(
    sensor_id=sensor_uuid("a"),
    external_id="a",
    station_id=None,
    rural=False,
    interval_s=Decimal(60),
    interval_inferred=False,
    expected_samples=1_020,
    retired_at=None,
    last_reading=datetime(2025, 10, 4, 21, 59, tzinfo=UTC),
    readings_elsewhere=False,
    read_day_before=True,
    first_reading=None,
    readings=1_000,
    with_occupancy=1_000,
    with_volume=1_000,
    with_both=1_000,
    empty_road=0,
    zero_occupancy=0,
    high_occupancy=0,
    occupancy_without_volume=0,
    volume_without_occupancy=0,
    with_traffic=1_000,
    traffic_without_speed=0,
    vehicle_seconds=Decimal(900_000 * 60),
    longest_gap_s=None,
    occupancy_samples=204,
    constant_samples=3,
    constant_occupancy=4.0,
    constant_from=datetime(2025, 10, 4, 9, 15, tzinfo=UTC),
)
SILENT = dict.fromkeys(
    ("readings", "with_occupancy", "with_volume", "with_both", "occupancy_samples"), 0
)


def found(*, over: bool = True, **changes: Any) -> Finding:
    """Return the finding of a good day with changes."""
    return diagnose(replace(GOOD, **changes), LIMITS, over=over)


def seen(**changes: Any) -> str:
    """Return the sentences about a good day with changes."""
    day = replace(GOOD, **changes)
    return describe_finding(day, diagnose(day, LIMITS, over=True), LOCAL, LIMITS)


@pytest.mark.parametrize(
    ("diagnosis", "beyond", "at_threshold"),
    [
        ("insufficient_data", {"with_both": 611}, {"with_both": 612}),  # of 1,020
        ("card_off", {"zero_occupancy": 591}, {"zero_occupancy": 590}),
        (
            "card_off",
            {"zero_occupancy": 901, "rural": True},
            {"zero_occupancy": 900, "rural": True},
        ),
        ("high_value", {"high_occupancy": 201}, {"high_occupancy": 200}),
        ("intermittent", {"occupancy_without_volume": 21}, {"occupancy_without_volume": 20}),
        ("intermittent", {"volume_without_occupancy": 501}, {"volume_without_occupancy": 500}),
        ("constant", {"constant_samples": 48}, {"constant_samples": 47}),
    ],
)
def test_a_detector_is_broken_beyond_the_threshold_and_good_at_it(
    diagnosis: str, beyond: dict[str, Any], at_threshold: dict[str, Any]
) -> None:
    assert found(**beyond) == Finding(Diagnosis(diagnosis), ())
    assert found(**at_threshold) == Finding(Diagnosis.GOOD, ())


def test_the_first_diagnosis_that_applies_is_the_one() -> None:
    everything: dict[str, Any] = {
        "with_both": 100,
        "zero_occupancy": 700,
        "high_occupancy": 300,
        "occupancy_without_volume": 50,
        "constant_samples": 60,
    }
    healed = (
        {"with_both": 1_000},
        {"zero_occupancy": 0},
        {"high_occupancy": 0},
        {"occupancy_without_volume": 0},
        {"constant_samples": 0},
    )
    order: list[str] = []
    for change in healed:
        order.append(found(**everything).diagnosis)
        everything |= change
    assert order == list(TESTS)
    assert found(**everything).diagnosis == "good"


def test_no_reading_is_no_data() -> None:
    assert found(**SILENT).diagnosis == "no_data"
    assert "the newest is of 2025-10-04 21:59" in seen(**SILENT)
    assert "never reported" in seen(**SILENT, last_reading=None)


def test_a_day_that_is_not_over_is_not_evaluated_whatever_was_seen() -> None:
    for changes in ({}, SILENT, {"zero_occupancy": 1_000}, {"expected_samples": None}):
        assert found(over=False, **changes) == Finding(
            Diagnosis.NOT_EVALUATED, TESTS, "day_not_over"
        )


def test_readings_at_other_hours_only_are_not_evaluated_unless_the_sensor_has_stopped() -> None:
    elsewhere = {**SILENT, "readings_elsewhere": True}
    assert found(**elsewhere, read_day_before=False).reason == "other_hours"
    assert "outside 05:00 to 21:59" in seen(**elsewhere, read_day_before=False)
    assert found(**elsewhere, read_day_before=True).diagnosis == "no_data"


def test_a_first_day_is_not_evaluated_whatever_was_seen() -> None:
    began = {"first_reading": datetime(2025, 10, 4, 14, 30, tzinfo=UTC)}
    for counts in ({}, SILENT, {"with_both": 10}, {"zero_occupancy": 1_000}):
        assert found(**began, **counts) == Finding(Diagnosis.NOT_EVALUATED, TESTS, "first_day")
    assert seen(**began) == "Its first day: reporting since 2025-10-04 14:30."
    assert found(over=False, **began).reason == "day_not_over"


def test_without_an_interval_nothing_is_evaluated_and_it_says_so() -> None:
    finding = found(interval_s=None, expected_samples=None, zero_occupancy=1_000)
    assert finding == Finding(Diagnosis.NOT_EVALUATED, TESTS, "interval_unknown")
    assert "interval_s was not imported" in seen(interval_s=None, expected_samples=None)


def test_a_feed_without_occupancy_is_judged_by_its_samples_alone_and_it_says_so() -> None:
    lacking = {"with_occupancy": 0, "with_both": 0, "occupancy_samples": 0, "constant_samples": 0}
    finding = found(**lacking)
    assert (finding.diagnosis, finding.reason) == ("not_evaluated", "no_occupancy")
    assert finding.tests_not_evaluated == TESTS[1:]
    assert "no reading holds an occupancy" in seen(**lacking)
    few = {**lacking, "readings": 500, "with_volume": 500}
    assert found(**few).diagnosis == "insufficient_data"


def test_a_feed_without_volume_is_diagnosed_by_its_other_measures() -> None:
    lacking = {"with_volume": 0, "with_both": 0}
    assert found(**lacking) == Finding(Diagnosis.GOOD, (Diagnosis.INTERMITTENT,))
    assert "intermittent (no reading holds a volume)" in seen(**lacking)
    assert found(**lacking, zero_occupancy=591).diagnosis == "card_off"


def test_a_feed_that_reports_too_seldom_for_a_row_of_samples_is_not_called_constant() -> None:
    hourly = {
        **dict.fromkeys(("readings", "with_occupancy", "with_volume", "with_both"), 17),
        "interval_s": Decimal(3_600),
        "expected_samples": 17,
        "occupancy_samples": 17,
        "constant_samples": 17,
    }
    assert found(**hourly) == Finding(Diagnosis.GOOD, (Diagnosis.CONSTANT,))
    assert "constant (17 5-minute samples" in seen(**hourly)


def test_a_row_of_samples_as_long_as_the_threshold_is_judged() -> None:
    samples = {"occupancy_samples": 48, "constant_samples": 48}
    assert found(**samples).diagnosis == Diagnosis.CONSTANT
    assert found(**samples).tests_not_evaluated == ()


@pytest.mark.parametrize(
    ("counts", "samples"),
    [
        ({"with_occupancy": 0, "with_volume": 7}, 7),
        ({"with_occupancy": 6, "with_volume": 0}, 6),
        ({"with_occupancy": 0, "with_volume": 0}, 1_000),
        ({"with_occupancy": 6, "with_volume": 7, "with_both": 5, "empty_road": 2}, 7),
    ],
)
def test_samples_hold_the_measures_that_the_sensor_reports(
    counts: dict[str, int], samples: int
) -> None:
    assert replace(GOOD, **counts).samples == samples


def test_a_measure_that_most_readings_lack_makes_too_few_samples() -> None:
    assert found(with_occupancy=3, with_both=3).diagnosis == "insufficient_data"
    assert "The others of 1,000 readings lack" in seen(with_occupancy=3, with_both=3)


def test_an_empty_road_whose_occupancy_is_left_out_is_a_sample_and_no_zero() -> None:
    night = {"with_occupancy": 300, "with_both": 300, "empty_road": 700, "with_traffic": 300}
    assert found(**night) == Finding(Diagnosis.GOOD, ())
    assert seen(**night).startswith("1,000 of 1,020 expected samples")
    assert found(**night, zero_occupancy=178).diagnosis == "card_off"
    assert found(**night | {"empty_road": 300}).diagnosis == "insufficient_data"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"with_both": 306, "longest_gap_s": 20_400}, "306 of 1,020 expected samples (30.0 %"),
        ({"with_both": 306, "longest_gap_s": 20_400}, "without a reading: 5 h 40 min."),
        ({"interval_inferred": True}, "one every 60 s, inferred"),
        ({"zero_occupancy": 971}, "Occupancy is 0 in 971 of 1,000 readings (97.1 %)"),
        ({"zero_occupancy": 971, "rural": True}, "more than 90 % is too much"),
        ({"high_occupancy": 310}, "Occupancy is above 70 % in 310 of 1,000"),
        ({"occupancy_without_volume": 28}, "Occupancy without volume in 28 of 1,000"),
        ({"volume_without_occupancy": 600}, "Volume without occupancy in 600 of 1,000"),
        ({"constant_samples": 61}, "Occupancy is 4 % in 61 5-minute samples in a row, from 2025"),
        ({}, "1,000 of 1,020 expected samples (98.0 %; one every 60 s); no test failed."),
    ],
)
def test_the_sentences_name_the_figures_that_decided(changes: dict[str, Any], words: str) -> None:
    assert words in seen(**changes)


def test_every_broken_detector_comes_with_something_to_look_at() -> None:
    for diagnosis in set(Diagnosis) - {Diagnosis.GOOD, Diagnosis.NOT_EVALUATED}:
        scope = "station" if diagnosis == "no_data" else None
        assert advise(diagnosis, scope)
    assert advise(Diagnosis.GOOD, None) == ""


def test_the_defaults_of_the_settings_are_those_of_the_thresholds() -> None:
    settings = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    assert Thresholds.from_settings(settings) == LIMITS
