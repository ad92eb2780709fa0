"""`traffic doctor` with real servers, and with several faults at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Result, Traffic

# Brokers from 4 on do not tell their version. The tests of the oldest versions run this file too.
KAFKA = (
    "Kafka 3.7 answers."
    if "TRAFFIC_TEST_KAFKA" in os.environ
    else "Kafka answers; it does not tell its version."
)


def states(result: Result) -> dict[str, str]:
    """State of each subject."""
    return {check["subject"]: check["state"] for check in result.json["checks"]}


def faults(result: Result) -> dict[str, str]:
    """Text of each fault, by subject."""
    checks: list[dict[str, Any]] = result.json["checks"]
    return {check["subject"]: check["text"] for check in checks if check["state"] == "fault"}


def test_a_platform_without_a_fault_exits_with_0(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    for topic in settings.ingest_topics:
        make_topic(topic)
    found = traffic("doctor", "--json")
    assert faults(found) == {}
    assert found.code == 0
    assert found.json["healthy"] is True
    assert set(states(found).values()) == {"ok"}, found.json
    kafka = next(check for check in found.json["checks"] if check["subject"] == "kafka")
    assert kafka["text"] == KAFKA


def test_all_faults_are_named_at_once(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAFFIC_RAW_DAY", "7")
    monkeypatch.setenv("TRAFFIC_TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("TRAFFIC_READ_DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/traffic")
    monkeypatch.setenv("TRAFFIC_DAGSTER_DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/dagster")
    monkeypatch.setenv("TRAFFIC_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    found = traffic("doctor", "--json")
    assert found.code == 1
    assert faults(found).keys() == {"settings", "reading role", "dagster database", "kafka"}
    assert "TRAFFIC_RAW_DAYS?" in faults(found)["settings"]
    assert "correct TRAFFIC_KAFKA_BOOTSTRAP_SERVERS" in faults(found)["kafka"]
    assert "secret" not in found.out + found.err


def test_another_time_zone_and_a_missing_topic_are_faults(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("TRAFFIC_RAW_TOPIC", "missing-topic")
    found = faults(traffic("doctor", "--json"))
    assert "Asia/Tokyo" in found["time zone"]
    assert "does not exist" in found["topics"]


def test_without_a_stack_local_servers_are_not_checked(traffic_alone: Traffic) -> None:
    found = traffic_alone("doctor", "--json")
    assert found.code == 0, found.out
    kinds = states(found)
    assert (kinds["settings"], kinds["disk"]) == ("ok", "ok")
    assert kinds["postgresql"] == kinds["dagster database"] == kinds["kafka"] == "not checked"


def test_each_invalid_setting_is_a_fault(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_KAFKA_PORT", "0")
    monkeypatch.setenv("TRAFFIC_API_PORT", "0")
    found = traffic_alone("doctor")
    assert found.code == 1
    assert "TRAFFIC_KAFKA_PORT" in found.out
    assert "TRAFFIC_API_PORT" in found.out
    assert "2 faults found." in found.out


def test_a_home_that_is_a_file_is_a_fault(
    traffic_alone: Traffic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "file" / "home"))
    assert "folder" in faults(traffic_alone("doctor", "--json"))


def test_a_disk_below_the_limit_is_a_fault(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_DISK_FREE_GIB", "1000000")
    assert "PostgreSQL stops when it is full" in faults(traffic_alone("doctor", "--json"))["disk"]
