"""The version of the rules changes when results can, and only then."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from traffic_platform.events.quality_tests import QUALITY_TESTS, Condition, QualityTest
from traffic_platform.events.rules import RULES_REVISION, Rules

RULES = Rules(date(2010, 1, 1), None, "UTC")
# The quality tests at the time when versions did not cover them.
SEVEN = tuple(
    QualityTest(bit, "", "", conditions)
    for bit, conditions in [
        (1, (Condition("volume", ">", 3060.0),)),
        (2, (Condition("occupancy", ">", 95.0),)),
        (4, (Condition("speed", ">", 100.0),)),
        (8, (Condition("speed", "<", 5.0),)),
        (16, (Condition("speed", "==", 0.0), Condition("volume", ">", 0.0))),
        (32, (Condition("speed", ">", 0.0), Condition("volume", "==", 0.0))),
        (64, (Condition("occupancy", ">", 0.0), Condition("volume", "==", 0.0))),
    ]
)


def test_equal_rules_have_one_version_of_revision_and_digest() -> None:
    assert RULES.version == Rules(date(2010, 1, 1), None, "UTC").version
    assert re.fullmatch(rf"{RULES_REVISION}-[0-9a-f]{{8}}", RULES.version)


def test_every_setting_that_decides_results_changes_the_version() -> None:
    others = [
        replace(RULES, first_date=date(2010, 1, 2)),
        replace(RULES, naive_timezone="UTC"),
        replace(RULES, timezone="Europe/Berlin"),
        replace(RULES, naive_timezone="Europe/Berlin"),
        replace(RULES, unknown_sensors="quarantine"),
    ]
    assert len({rules.version for rules in [RULES, *others]}) == 6


def test_batches_that_the_first_seven_tests_decided_keep_their_version() -> None:
    assert RULES.version_with(SEVEN).removeprefix(f"{RULES_REVISION}-") == "15a3a605"
    berlin = Rules(date(2010, 1, 1), "Europe/Berlin", "UTC", "quarantine")
    assert berlin.version_with(SEVEN).removeprefix(f"{RULES_REVISION}-") == "fd3f2aa2"


def test_every_change_of_the_quality_tests_changes_the_version() -> None:
    low, *others = SEVEN
    lists = [
        SEVEN,
        (replace(low, bit=128), *others),
        (replace(low, fails_when=(Condition("volume", ">", 3000.0),)), *others),
        (replace(low, fails_when=(Condition("volume", "<", 3060.0),)), *others),
        tuple(others),
    ]
    assert len({RULES.version_with(tests) for tests in lists}) == len(lists)
    assert RULES.version == RULES.version_with(QUALITY_TESTS)


def test_the_words_of_a_quality_test_change_no_version() -> None:
    renamed = [replace(test, name="other", sentence="other") for test in QUALITY_TESTS]
    assert RULES.version_with(renamed) == RULES.version
