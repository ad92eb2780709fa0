"""The alert sensor in Dagster, with a real webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import psycopg
import pytest
from dagster import DagsterInstance, Definitions, build_sensor_context

from benchmarks.fortnight import NULL_SPEEDS, Fortnight
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring import lag
from traffic_platform.orchestration.alerts.alert_sensors import ALERTS_SENSOR
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.checks.checks_job import CHECKS_JOB, checks_config
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.feed import flat
from traffic_platform_tests.webhook import Webhook

FORTNIGHT = Fortnight(sensors=1)
LAST_DAY = date(2025, 10, 14)


@pytest.fixture
def definitions(
    platform: Settings, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> Definitions:
    """The definitions with a webhook."""
    monkeypatch.setenv("TRAFFIC_ALERT_WEBHOOK_URL", webhook.url)
    return build_definitions(Settings(_env_file=None))  # pyright: ignore[reportCallIssue]


def check(definitions: Definitions, instance: DagsterInstance, *days: date) -> bool:
    """Run the scheduled job; whether the run succeeded."""
    job = definitions.resolve_job_def(CHECKS_JOB)
    config = checks_config(days, closed=False)
    return job.execute_in_process(
        instance=instance, run_config=config, raise_on_error=False
    ).success


def tick(definitions: Definitions, instance: DagsterInstance, cursor: str | None) -> str | None:
    """A tick that knows only the cursor of the one before."""
    context = build_sensor_context(instance=instance, cursor=cursor)
    return definitions.resolve_sensor_def(ALERTS_SENSOR).evaluate_tick(context).cursor


def messages(webhook: Webhook) -> list[tuple[object, ...]]:
    """The messages that the webhook received since the last call."""
    received = [(body["event"], body["name"], body["date"]) for body in webhook.bodies]
    webhook.bodies.clear()
    return received


def test_without_a_webhook_there_is_no_sensor(platform: Settings) -> None:
    sensors = {sensor.name for sensor in build_definitions(platform).sensors or ()}
    assert ALERTS_SENSOR not in sensors


def test_a_failed_check_is_reported_once_and_again_when_it_passes(
    definitions: Definitions, instance: DagsterInstance, owner: psycopg.Connection, webhook: Webhook
) -> None:
    FORTNIGHT.store(owner, [NULL_SPEEDS])
    assert check(definitions, instance, LAST_DAY)
    cursor = tick(definitions, instance, None)
    assert webhook.bodies[0]["affected"] == ["north-1"]
    assert messages(webhook) == [("problem", "measures_present", LAST_DAY.isoformat())]
    assert check(definitions, instance, LAST_DAY)
    cursor = tick(definitions, instance, cursor)
    assert messages(webhook) == []
    owner.execute("update traffic.traffic_readings set speed = 50 where speed is null")
    assert check(definitions, instance, LAST_DAY)
    cursor = tick(definitions, instance, cursor)
    assert messages(webhook) == [("healed", "measures_present", LAST_DAY.isoformat())]
    tick(definitions, instance, cursor)
    assert messages(webhook) == []


def test_a_failed_run_is_reported_and_healed_by_a_successful_one(
    definitions: Definitions, instance: DagsterInstance, owner: psycopg.Connection, webhook: Webhook
) -> None:
    owner.execute("alter table traffic.lost_ranges rename to renamed")
    assert not check(definitions, instance)
    cursor = tick(definitions, instance, None)
    assert messages(webhook) == [("problem", "the run failed", None)]
    owner.execute("alter table traffic.renamed rename to lost_ranges")
    webhook.status = 503
    assert check(definitions, instance)
    cursor = tick(definitions, instance, cursor)
    assert messages(webhook) == []
    webhook.status = 200
    tick(definitions, instance, cursor)
    assert messages(webhook) == [("healed", "the run failed", None)]


def test_a_ledger_that_stands_still_is_reported_once_and_again_when_it_moves(
    definitions: Definitions,
    instance: DagsterInstance,
    platform: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic()
    produce([flat("a")])
    monkeypatch.setattr(lag, "STALL_SECONDS", 0.0)
    cursor = tick(definitions, instance, None)
    assert "1 messages wait" in webhook.bodies[0]["summary"]
    assert messages(webhook) == [("problem", "the ledger stands still", None)]
    cursor = tick(definitions, instance, cursor)
    assert messages(webhook) == []
    limits = RunLimits(60, 30, until_caught_up=True)
    run_ingest(platform, [platform.raw_topic], limits=limits, run_id=None, stop=lambda: False)
    tick(definitions, instance, cursor)
    assert messages(webhook) == [("healed", "the ledger stands still", None)]
