"""The check of the share of healthy detectors, on diagnoses as they are stored."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.health import detectors_stay_healthy
from traffic_platform_tests.quality.conftest import DAY


def diagnose(owner: psycopg.Connection, day: date, *diagnoses: str) -> None:
    """Store a date's diagnoses of det-0, det-1 …"""
    for number, diagnosis in enumerate(diagnoses):
        name = f"det-{number}"
        owner.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin)"
            " values (md5(%(name)s)::uuid, %(name)s, 'seen') on conflict do nothing",
            {"name": name},
        )
        owner.execute(
            "insert into traffic.detector_health (sensor_id, date, diagnosis, seen, field,"
            " tests_not_evaluated, rural, interval_inferred, readings, samples, computed_at)"
            " values (md5(%s)::uuid, %s, %s, 'Seen.', 'Look.', '{}', false, false, 1, 1, now())",
            (name, day, diagnosis),
        )


def diagnose_days_before(owner: psycopg.Connection, days: int, *diagnoses: str) -> None:
    for back in range(1, days + 1):
        diagnose(owner, DAY - timedelta(days=back), *diagnoses)


def test_detectors_that_break_together_are_named_with_their_diagnoses(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    diagnose_days_before(owner, 4, "good", "good", "good", "card_off", "not_evaluated")
    diagnose(owner, DAY, "no_data", "constant", "good", "card_off", "not_evaluated")
    outcome = detectors_stay_healthy(context)
    assert not outcome.passed
    assert outcome.summary == (
        "25% of the detectors are healthy; 75% were before. Newly unhealthy:"
        " det-0 (no_data), det-1 (constant)."
    )
    assert [row["sensor"] for row in outcome.sample] == ["det-0", "det-1"]
    assert outcome.sample[0]["last good"] == DAY - timedelta(days=1)


def test_a_single_broken_detector_is_left_to_its_own_diagnosis(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    diagnose_days_before(owner, 3, "good", "good", "good")
    diagnose(owner, DAY, "good", "high_value", "good")
    assert detectors_stay_healthy(context).passed


def test_detectors_that_were_broken_before_do_not_count(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    diagnose_days_before(owner, 3, "good", "no_data", "no_data")
    diagnose(owner, DAY, "good", "no_data", "no_data")
    outcome = detectors_stay_healthy(context)
    assert outcome.passed
    assert (outcome.numbers["share"], outcome.numbers["usual share"]) == (0.333, 0.333)


def test_without_diagnoses_or_a_history_it_is_not_evaluated(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    assert not detectors_stay_healthy(context).evaluated
    diagnose(owner, DAY, "no_data", "no_data", "good")
    diagnose_days_before(owner, 2, "good", "good", "good")
    outcome = detectors_stay_healthy(context)
    assert outcome.passed
    assert "too few days" in outcome.summary
