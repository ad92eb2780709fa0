"""What a webhook gets, against a real HTTP server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from traffic_platform.quality.alerts import AlertState, Problem, WebhookError
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
)
FAILED = Problem(
    key="run:ingest_window",
    kind="run",
    name="the run failed",
    subject="ingest_window",
    severity="ERROR",
    summary="Dagster's run r failed.",
    since="2025-10-05T04:21:00Z",
)


def look(state: AlertState, *failing: Problem, well: tuple[str, ...] = ()) -> AlertState:
    """A look by a process that knows only what the last one wrote down."""
    state.look(failing, well)
    return AlertState.from_json(state.to_json())


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_the_webhook_does_not_take_is_kept_and_told_later_in_order(
    webhook: Webhook, status: int
) -> None:
    state = look(look(AlertState(), SILENT), FAILED)
    webhook.status = status
    with pytest.raises(WebhookError, match=f"answered {status}"):
        state.tell(webhook.url, "json")
    state = look(state, FAILED, well=(SILENT.key,))
    webhook.status = 200
    assert state.tell(webhook.url, "json") == 3
    assert [(body["event"], body["name"]) for body in webhook.bodies] == [
        ("problem", "sensors_deliver"),
        ("problem", "the run failed"),
        ("healed", "sensors_deliver"),
    ]


def test_a_webhook_that_is_away_is_named_without_its_url(webhook: Webhook) -> None:
    webhook.close()
    state = look(AlertState(), SILENT)
    with pytest.raises(WebhookError) as refused:
        state.tell(webhook.url, "json")
    assert "secret" not in str(refused.value)
    assert state.waiting


def test_a_problem_is_told_once_when_it_begins_and_once_when_it_heals(webhook: Webhook) -> None:
    state = AlertState()
    for _ in range(3):
        state = look(state, replace(SILENT, since="2025-10-05T05:00:00Z", summary="Still."))
        state.tell(webhook.url, "json")
    for _ in range(3):
        state = look(state, well=(SILENT.key,))
        state.tell(webhook.url, "json")
    assert [body["event"] for body in webhook.bodies] == ["problem", "healed"]
    began, healed = webhook.bodies
    assert began["since"] == healed["since"]


def test_what_comes_back_after_it_has_healed_is_a_new_problem(webhook: Webhook) -> None:
    state = look(look(look(AlertState(), SILENT), well=(SILENT.key,)), SILENT)
    state.tell(webhook.url, "json")
    assert [body["event"] for body in webhook.bodies] == ["problem", "healed", "problem"]


def test_what_nobody_has_looked_at_again_stays_a_problem() -> None:
    state = look(look(AlertState(), SILENT), FAILED)
    assert list(state.open) == [SILENT.key, FAILED.key]


def test_a_generic_body_holds_every_field(webhook: Webhook) -> None:
    look(AlertState(), SILENT).tell(webhook.url, "json")
    assert webhook.bodies == [
        {
            "id": "problem:check:sensors_deliver:2025-10-04:2025-10-05T04:20:00Z",
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
        }
    ]


def test_slack_gets_one_text(webhook: Webhook) -> None:
    look(look(AlertState(), SILENT), well=(SILENT.key,)).tell(webhook.url, "slack")
    assert webhook.bodies == [
        {
            "text": "WARN: traffic_readings of 2025-10-04: sensors_deliver. 1 sensor is silent:"
            " det-7. What to do: docs/runbooks/sensors_deliver.md"
        },
        {
            "text": "Healed: traffic_readings of 2025-10-04: sensors_deliver. It began at"
            " 2025-10-05T04:20:00Z."
        },
    ]
