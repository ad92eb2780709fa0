"""`traffic verify`: exit codes and output."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic
from traffic_platform_tests.integration.verify_sample import drain, flat

Produce = Callable[..., None]


@pytest.fixture
def ingested(settings: Settings, make_topic: Callable[..., str], produce: Produce) -> Settings:
    """Settings of a database with ten stored events."""
    make_topic(partitions=2)
    produce([flat("a", minute, 50.0) for minute in range(10)])
    drain(settings)
    return settings


def test_verify_exits_1_and_prints_one_sentence_for_the_first_difference(
    ingested: Settings, traffic: Traffic
) -> None:
    with psycopg.connect(ingested.endpoints().owner_url) as connection:
        connection.execute("update traffic.traffic_readings set speed = 51")
    result = traffic("verify")
    assert result.code == 1
    first, more = result.out.splitlines()
    assert first.startswith("traffic_readings (sensor_id ")
    assert "expected speed 50 as in the event of topic_no 1" in first
    assert first.endswith("found speed 51.")
    assert more == "And 9 more differences: --json shows them."


def test_verify_as_json_holds_the_whole_report(ingested: Settings, traffic: Traffic) -> None:
    with psycopg.connect(ingested.endpoints().owner_url) as connection:
        connection.execute('delete from traffic.processed_events where "offset" = 0')
    result = traffic("verify", "--deep", "--json")
    assert result.code == 1
    assert result.json["holds"] is False
    assert result.json["findings"][0]["table"] == "processed_events"
    assert result.json["findings"][0]["sentence"] == result.json["first_difference"]
    assert {log["partition"] for log in result.json["logs"]} == {0, 1}


def test_verify_exits_0_and_shows_the_compared_rows(ingested: Settings, traffic: Traffic) -> None:
    result = traffic("verify", "--deep")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(
        "Everything matches: 10 rows in raw_events, 10 rows in traffic_readings"
    )
    assert "10 messages decoded again, 10 of them read from Kafka, lag 0" in result.out
    assert traffic("verify", "--json").json["holds"] is True


def test_verify_exits_2_with_one_line_when_it_cannot_run(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_READ_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/traffic")
    result = traffic("verify")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("PostgreSQL: ")


def test_rows_that_only_sums_prove_are_shown() -> None:
    from traffic_platform.cli.verify import _by_sums
    from traffic_platform.verify.verify_report import BySums, VerifyReport

    report = VerifyReport(deep=False, snapshot_at=datetime.now(UTC), rules_version="1-0")
    assert _by_sums(report) == ""
    report.by_sums = BySums(folded_batches=1_200, folded_into=3, raw_events=21)
    assert _by_sums(report) == (
        "Proved by sums only: 21 rows dropped from raw_events; which of 1,200 batches compacted"
        " into 3 audit rows a message came with."
    )
