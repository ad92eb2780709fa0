"""Messages to a webhook, against a real HTTP server."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest

from traffic_platform.quality.alerts import AlertState, WebhookError
from traffic_platform.quality.problems import Finding, Problem
from traffic_platform_tests.webhook import Webhook

SILENT = Problem(
    key="check:sensors_deliver:2025-10-04",
    kind="check",
    name="sensors_deliver",
    subject="traffic_readings",
    severity="WARN",
    summary="1 sensor is silent: det-7.",
    since="2025-10-05T04:20:00Z",
    date="2025-10-04",
    runbook="docs/runbooks/sensors_deliver.md",
    run_id="a-run",
    affected=("det-7",),
    seen="2025-10-05T04:20:00Z",
)
FAILED = Problem(
    key="run:ingest_events",
    kind="run",
    name="the run failed",
    subject="ingest_events",
    severity="ERROR",
    summary="Dagster run r failed.",
    since="2025-10-05T04:21:00Z",
)


def observe(state: AlertState, *failing: Problem, well: tuple[Problem, ...] = ()) -> AlertState:
    """A tick of a process that knows only the state that the last one stored."""
    return tick_with(
        state,
        *(Finding(problem, passed=False) for problem in failing),
        *(Finding(problem, passed=True) for problem in well),
    )


def tick_with(state: AlertState, *findings: Finding) -> AlertState:
    """A tick with findings that have further fields."""
    state.observe(findings)
    return AlertState.from_json(state.to_json())


def of(date: str, *affected: str, passed: bool = False, final: bool = True, at: int = 0) -> Finding:
    """A result of a date with its names, or a passed one; `at`: the minute of the check."""
    seen = f"2025-10-05T06:{at:02}:00Z"
    problem = replace(
        SILENT,
        key=f"check:sensors_deliver:{date}",
        date=date,
        affected=None if passed else affected,
        since=seen,
        seen=seen,
    )
    return Finding(problem, passed, final)


def heard(state: AlertState, webhook: Webhook) -> list[tuple[object, ...]]:
    """The messages sent now: event, date and names."""
    webhook.bodies.clear()
    state.send(webhook.url, "json")
    return [(body["event"], body["date"], body["affected"]) for body in webhook.bodies]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_messages_that_are_not_accepted_are_kept_and_sent_later_in_order(
    webhook: Webhook, status: int
) -> None:
    state = observe(observe(AlertState(), SILENT), FAILED)
    webhook.status = status
    with pytest.raises(WebhookError, match=f"answered {status}"):
        state.send(webhook.url, "json")
    state = observe(state, FAILED, well=(SILENT,))
    webhook.status = 200
    assert state.send(webhook.url, "json") == 3
    assert [(body["event"], body["name"]) for body in webhook.bodies] == [
        ("problem", "sensors_deliver"),
        ("problem", "the run failed"),
        ("healed", "sensors_deliver"),
    ]


def test_an_unreachable_webhook_is_reported_without_its_url(webhook: Webhook) -> None:
    webhook.close()
    state = observe(AlertState(), SILENT)
    with pytest.raises(WebhookError) as refused:
        state.send(webhook.url, "json")
    assert "secret" not in str(refused.value)
    assert state.waiting


def test_a_problem_is_reported_once_when_it_begins_and_once_when_it_heals(webhook: Webhook) -> None:
    state = AlertState()
    for _ in range(3):
        state = observe(state, replace(SILENT, since="2025-10-05T05:00:00Z", summary="Still."))
        state.send(webhook.url, "json")
    for _ in range(3):
        state = observe(state, well=(SILENT,))
        state.send(webhook.url, "json")
    assert [body["event"] for body in webhook.bodies] == ["problem", "healed"]
    began, healed = webhook.bodies
    assert began["since"] == healed["since"]


def test_a_problem_that_returns_after_it_has_healed_is_a_new_one(webhook: Webhook) -> None:
    state = observe(observe(observe(AlertState(), SILENT), well=(SILENT,)), SILENT)
    state.send(webhook.url, "json")
    assert [body["event"] for body in webhook.bodies] == ["problem", "healed", "problem"]


def test_a_problem_without_a_new_result_stays_open() -> None:
    state = observe(observe(AlertState(), SILENT), FAILED)
    assert set(state.open) == {"check:sensors_deliver:", FAILED.key}


def test_a_json_message_holds_every_field(webhook: Webhook) -> None:
    observe(AlertState(), SILENT).send(webhook.url, "json")
    assert webhook.bodies == [
        {
            "id": "problem:check:sensors_deliver::2025-10-05T04:20:00Z",
            "event": "problem",
            "kind": "check",
            "name": "sensors_deliver",
            "subject": "traffic_readings",
            "severity": "WARN",
            "summary": "1 sensor is silent: det-7.",
            "since": "2025-10-05T04:20:00Z",
            "date": "2025-10-04",
            "runbook": "docs/runbooks/sensors_deliver.md",
            "run_id": "a-run",
            "affected": ["det-7"],
            "affected_total": 1,
        }
    ]


def test_slack_gets_one_text(webhook: Webhook) -> None:
    more = replace(SILENT, affected=("det-7", "det-9"), seen="2025-10-05T05:00:00Z")
    observe(observe(observe(AlertState(), SILENT), more), well=(SILENT,)).send(webhook.url, "slack")
    assert webhook.bodies == [
        {
            "text": "WARN: traffic_readings of 2025-10-04: sensors_deliver. 1 sensor is silent:"
            " det-7. What to do: docs/runbooks/sensors_deliver.md"
        },
        {
            "text": "WARN: traffic_readings of 2025-10-04: sensors_deliver, now also det-9. 1"
            " sensor is silent: det-7. What to do: docs/runbooks/sensors_deliver.md"
        },
        {
            "text": "Healed: traffic_readings of 2025-10-04: sensors_deliver. It began at"
            " 2025-10-05T04:20:00Z."
        },
    ]


def test_a_problem_over_several_dates_is_one_and_heals_with_the_newest(webhook: Webhook) -> None:
    days = [of(f"2025-10-0{day}", "det-7", at=day) for day in range(1, 6)]
    state = AlertState()
    for count in range(1, 6):
        state = tick_with(state, *reversed(days[:count]))
    assert heard(state, webhook) == [("problem", "2025-10-01", ["det-7"])]
    for minute in (7, 8):
        state = tick_with(state, of("2025-10-06", passed=True, at=minute), *days)
    assert heard(state, webhook) == [("healed", "2025-10-06", ["det-7"])]
    state = tick_with(state, of("2025-10-07", "det-7", at=9), of("2025-10-06", passed=True), *days)
    assert heard(state, webhook) == [("problem", "2025-10-07", ["det-7"])]


def test_additional_names_of_an_open_problem_are_reported_once(webhook: Webhook) -> None:
    first = of("2025-10-04", "det-7", at=1)
    state = tick_with(AlertState(), first)
    state = tick_with(state, of("2025-10-04", "det-9", "det-7", at=2))
    state = tick_with(state, of("2025-10-05", "det-9", at=3), of("2025-10-04", "det-9", at=2))
    unnamed = of("2025-10-05", at=4).problem
    state = tick_with(state, Finding(replace(unnamed, affected=None), passed=False))
    state = tick_with(state, of("2025-10-05", "det-7", "det-8", at=5))
    assert heard(state, webhook) == [
        ("problem", "2025-10-04", ["det-7"]),
        ("more", "2025-10-04", ["det-9"]),
        ("more", "2025-10-05", ["det-8"]),
    ]
    assert len({body["id"] for body in webhook.bodies}) == 3


def test_a_date_before_one_that_passes_is_a_problem_of_its_own(webhook: Webhook) -> None:
    newest = of("2025-10-05", passed=True, at=1)
    state = tick_with(AlertState(), newest, of("2025-10-02", "det-7", at=2))
    state = tick_with(state, of("2025-10-02", "det-7", "det-9", at=3), newest)
    state = tick_with(state, of("2025-10-02", passed=True, at=4), newest)
    state = tick_with(state, of("2025-10-02", passed=True, at=4), newest)
    assert heard(state, webhook) == [
        ("problem", "2025-10-02", ["det-7"]),
        ("more", "2025-10-02", ["det-9"]),
        ("healed", "2025-10-02", ["det-7", "det-9"]),
    ]


def test_results_of_past_dates_alone_prove_nothing_about_now(webhook: Webhook) -> None:
    state = tick_with(AlertState(), of("2025-10-05", "det-7", at=1))
    heard(state, webhook)
    state = tick_with(state, of("2025-09-02", passed=True, at=2), of("2025-09-01", "det-3", at=2))
    assert heard(state, webhook) == [("problem", "2025-09-01", ["det-3"])]
    state = tick_with(state, of("2025-10-05", passed=True, at=3))
    assert heard(state, webhook) == [("healed", "2025-10-05", ["det-7"])]


def test_the_first_hours_of_a_day_heal_only_that_day(webhook: Webhook) -> None:
    failed = of("2025-10-04", "det-7", at=1)
    state = tick_with(AlertState(), failed)
    young = of("2025-10-05", passed=True, final=False, at=2)
    state = tick_with(state, young, failed)
    state = tick_with(state, of("2025-10-05", "det-7", final=False, at=3), failed)
    assert heard(state, webhook) == [("problem", "2025-10-04", ["det-7"])]
    state = tick_with(state, replace(young, problem=of("2025-10-05", at=4).problem), failed)
    assert heard(state, webhook) == [("healed", "2025-10-05", ["det-7"])]
    # The additional name of the whole day before was not reported yet.
    state = tick_with(state, young, of("2025-10-04", "det-7", "det-9", at=5))
    assert heard(state, webhook) == [("problem", "2025-10-04", ["det-7", "det-9"])]


def test_the_cursor_of_a_version_with_a_problem_per_date_continues(webhook: Webhook) -> None:
    days = ["2025-10-02", "2025-10-03", "2025-10-04"]
    told = [asdict(of(day).problem) for day in days]
    for problem in told:
        del problem["affected"], problem["seen"]
    waiting = {"event": "problem", "problem": told[2]}
    state = AlertState.from_json(json.dumps({"open": told, "waiting": [waiting]}))
    state = tick_with(state, *(of(day, "det-7", at=1) for day in days))
    assert heard(state, webhook) == [("problem", "2025-10-04", None)]
    state = tick_with(state, of("2025-10-05", "det-7", "det-9", at=2))
    state = tick_with(state, of("2025-10-06", passed=True, at=3))
    assert heard(state, webhook) == [
        ("more", "2025-10-05", ["det-9"]),
        ("healed", "2025-10-06", ["det-7", "det-9"]),
    ]


@pytest.mark.parametrize(
    "old",
    [
        of("2025-09-02", "det-3", at=1).problem,
        replace(FAILED, key="run:diagnose_detectors:2025-09-02:2025-09-02"),
        replace(FAILED, key="run:diagnose_detectors:2025-09-02"),  # of an older version
    ],
)
def test_a_problem_of_a_date_that_is_not_checked_any_more_is_dropped(old: Problem) -> None:
    lasting = of("2025-10-05", "det-7", at=1)
    state = tick_with(AlertState(), lasting, Finding(replace(FAILED, seen=""), passed=False))
    state = observe(state, old)
    state.waiting.clear()
    kept = {*state.open} - {old.key}
    state.observe([], since="2025-10-05T04:20:00Z")
    assert old.key in state.open
    for _ in range(2):  # its result is still found, but neither reported nor opened again
        state.observe([Finding(old, passed=False)], since="2025-10-05T06:30:00Z")
    assert set(state.open) == kept == {"check:sensors_deliver:", FAILED.key}
    assert not state.waiting


def test_a_problem_that_still_fails_without_names_is_not_past() -> None:
    old = replace(of("2025-09-02", at=1).problem, affected=None)
    state = tick_with(AlertState(), of("2025-10-05", passed=True, at=1), Finding(old, passed=False))
    state = observe(state, replace(old, seen="2025-10-05T06:40:00Z"))
    state.observe([], since="2025-10-05T06:30:00Z")
    assert old.key in state.open


def test_the_state_grows_with_dates_and_names_but_not_with_their_product() -> None:
    dates = [(date(2025, 1, 1) + timedelta(days=number)).isoformat() for number in range(80)]
    state, sizes = AlertState(), dict[int, int]()
    for number, day in enumerate(dates):
        names = (f"detector-{number * 15 + one:05}" for one in range(15))
        problem = replace(of(day, *names).problem, seen=f"{day}T06:00:00Z")
        state = observe(state, problem)
        state.waiting.clear()
        sizes[number] = len(state.to_json())
    # Each date has brought 15 names of 16 characters, which stand twice: of now, and of the check.
    assert sizes[79] - sizes[39] < 40 * 15 * 2 * 25


def test_dates_that_were_reported_with_the_names_of_others_are_not_reported_again(
    webhook: Webhook,
) -> None:
    days = [of(f"2025-10-0{day}", f"det-{day}", at=day) for day in range(1, 5)]
    state = AlertState()
    for one in days:
        state = tick_with(state, one)
    state = tick_with(state, of("2025-10-05", passed=True, at=6), *days)
    heard(state, webhook)
    again = of("2025-10-02", "det-3", "det-2", at=7)
    state = tick_with(state, of("2025-10-05", passed=True, at=6), again)
    assert heard(state, webhook) == []


def test_a_long_run_of_dates_heals_with_one_message(webhook: Webhook) -> None:
    dates = [(date(2025, 1, 1) + timedelta(days=number)).isoformat() for number in range(200)]
    days = [of(day, "det-7", at=1) for day in dates]
    state = tick_with(AlertState(), *days)
    state = tick_with(state, *days, of("2025-10-06", passed=True, at=2))
    assert [event for event, *_ in heard(state, webhook)] == ["problem", "healed"]


def test_a_cursor_with_all_names_at_each_date_continues(webhook: Webhook) -> None:
    state = tick_with(AlertState(), of("2025-10-04", "det-7", "det-9", at=1))
    heard(state, webhook)
    older = json.loads(state.to_json())
    older["dates"]["sensors_deliver"] = {
        "newest": "2025-10-04",
        "told": {"2025-10-03": ["det-7", "det-9"], "2025-10-04": ["det-7", "det-9"]},
    }
    state = AlertState.from_json(json.dumps(older))
    state = tick_with(
        state,
        of("2025-10-05", passed=True, at=2),
        of("2025-10-03", "det-9"),
        of("2025-10-04", "det-7"),
    )
    assert heard(state, webhook) == [("healed", "2025-10-05", ["det-7", "det-9"])]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_with_rejected_content_does_not_hold_back_others(
    webhook: Webhook, status: int
) -> None:
    state = observe(observe(AlertState(), SILENT), FAILED)
    webhook.refused, webhook.refuses_with = "det-7", status
    with pytest.raises(WebhookError, match=f"answered {status}"):
        state.send(webhook.url, "json")
    assert [body["name"] for body in webhook.bodies] == ["the run failed"]
    assert [message.problem.name for message in state.waiting] == ["sensors_deliver"]
    webhook.refused = None
    assert state.send(webhook.url, "json") == 1
    assert not state.waiting


def test_a_message_is_bounded(webhook: Webhook) -> None:
    names = tuple(f"det-{number}" for number in range(200))
    long = replace(SILENT, affected=("det-x",), summary="s" * 5_000)
    state = observe(AlertState(), long)
    state = observe(state, replace(long, affected=names, seen="2025-10-05T05:00:00Z"))
    for message in state.waiting:
        assert message.body("json")["summary"] == "s" * 999 + "…"
    state.send(webhook.url, "json")
    assert webhook.bodies[1]["affected"] == list(names[:50])
    assert webhook.bodies[1]["affected_total"] == 200
    state = observe(
        observe(AlertState(), long), replace(long, affected=names, seen="2025-10-05T05:00Z")
    )
    state.send(webhook.url, "slack")
    assert "det-49 and 150 more. sss" in str(webhook.bodies[-1]["text"])
    assert len(str(webhook.bodies[-1]["text"])) < 2_000
