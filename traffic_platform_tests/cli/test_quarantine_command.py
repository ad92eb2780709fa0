"""`traffic quarantine` after a real window."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic

NO_MEASURES = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z"}'
HOSTILE = b"\xff\x1b[2J[bold]\x00"


@pytest.fixture
def filled(
    traffic: Traffic, make_topic: Callable[..., str], produce: Callable[..., None]
) -> Traffic:
    make_topic(partitions=1)
    produce([NO_MEASURES, HOSTILE])
    assert traffic("ingest", "--once").code == 0
    return traffic


def test_an_empty_quarantine_says_so(traffic: Traffic) -> None:
    result = traffic("quarantine", "list")
    assert (result.code, result.out) == (0, "Nothing is in quarantine.\n")
    assert traffic("quarantine", "list", "--json").json["total"] == 0


@pytest.mark.parametrize(
    "arguments", [["traffic-raw"], ["traffic-raw", 1], ["a/b/c"], ["x", 1, "y"]]
)
def test_an_incomplete_place_is_refused(traffic_alone: Traffic, arguments: list[object]) -> None:
    assert traffic_alone("quarantine", "show", *arguments).code == 2


def test_a_message_that_is_not_there_is_one_line(settings: Settings, filled: Traffic) -> None:
    result = filled("quarantine", "show", settings.raw_topic, 0, 99)
    assert result.code == 1
    assert result.err.startswith(f"Offset 99 of {settings.raw_topic} [0] is not in quarantine")


def test_messages_are_counted_and_named(settings: Settings, filled: Traffic) -> None:
    listed = filled("quarantine", "list", "--json").json
    assert listed["total"] == 2
    assert {row["reason"] for row in listed["reasons"]} == {"no_measures", "invalid_utf8"}
    assert listed["messages"][0]["id"] == f"{settings.raw_topic}/0/1"
    only = filled("quarantine", "list", "--reason", "no_measures", "--sensor", "s1", "--json").json
    assert only["total"] == 1
    assert "no_measures" in filled("quarantine", "list", "--limit", 0).out


def test_hostile_bytes_cannot_steer_the_terminal(settings: Settings, filled: Traffic) -> None:
    result = filled("quarantine", "show", f"{settings.raw_topic}/0/1")
    assert result.code == 0, result.err
    assert "\x1b" not in result.out
    assert "ff 1b 5b 32 4a" in result.out
    assert "value as text: \\xff\\x1b[2J[bold]\\x00" in result.out
    assert "invalid_utf8" in result.out


def test_programs_get_the_exact_bytes(settings: Settings, filled: Traffic) -> None:
    (document,) = filled("quarantine", "show", settings.raw_topic, 0, 1, "--json").json
    assert b64decode(document["value_base64"]) == HOSTILE
    assert document["key_base64"] is None
    assert document["offset"] == 1
    assert document["kafka_topic_id"]
