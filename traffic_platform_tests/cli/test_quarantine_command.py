"""`traffic quarantine` after a real window."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

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


def test_a_reason_that_is_none_is_refused_with_those_that_are(traffic_alone: Traffic) -> None:
    for command in ("list", "replay"):
        result = traffic_alone("quarantine", command, "--reason", "no_measure")
        assert result.code == 2
        assert "no_measures" in result.err


def test_a_date_that_is_none_is_refused_with_the_way_to_write_it(traffic_alone: Traffic) -> None:
    result = traffic_alone("quarantine", "list", "--date", "24.11.2026")
    assert result.code == 2
    assert "YYYY-MM-DD" in result.err


def test_a_replay_of_nothing_says_so(traffic: Traffic) -> None:
    result = traffic("quarantine", "replay")
    assert (result.code, result.out) == (0, "Nothing is in quarantine.\n")


def test_a_replay_lets_in_what_a_setting_makes_readable(
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic(partitions=1)
    produce([b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00","speed":50}', NO_MEASURES])
    assert traffic("ingest", "--once").code == 0
    assert "TRAFFIC_NAIVE_TIMEZONE is not set" in traffic("quarantine", "replay").out
    monkeypatch.setenv("TRAFFIC_NAIVE_TIMEZONE", "Asia/Tokyo")
    tried = traffic("quarantine", "replay", "--dry-run")
    assert "1 let in, 1 left in quarantine (a dry run" in tried.out
    assert traffic("quarantine", "list", "--json").json["total"] == 2
    done = traffic("quarantine", "replay", "--json").json
    assert (done["examined"], done["replayed"], done["remaining"]) == (2, 1, 1)
    assert done["replayed_by_reason"] == {"timestamp_without_zone": 1}
    assert done["remaining_by_reason"] == {"no_measures": 1}
    assert (done["dates"], done["inserted"], done["dry_run"]) == ({"2025-10-03": 1}, 1, False)
    again = traffic("quarantine", "replay")
    assert "0 let in, 1 left in quarantine.\n" in again.out
    assert "TRAFFIC_NAIVE_TIMEZONE" not in again.out
    assert traffic("quarantine", "list", "--json").json["total"] == 1
    assert traffic("quarantine", "list", "--all", "--json").json["total"] == 2
    assert traffic("verify", "--deep").code == 0


def test_an_event_of_an_unknown_sensor_waits_for_an_import_and_a_replay(
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TRAFFIC_UNKNOWN_SENSORS", "quarantine")
    make_topic(partitions=1)
    produce([b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":50}'])
    assert traffic("ingest", "--once").code == 0
    listed = traffic("quarantine", "list", "--json").json
    assert [row["reason"] for row in listed["reasons"]] == ["unknown_sensor"]
    (tmp_path / "sensors.csv").write_text("external_id\ns1\n")
    assert traffic("sensors", "import", tmp_path / "sensors.csv").code == 0
    assert "traffic quarantine replay --reason unknown_sensor" in traffic("verify", "--deep").out
    assert "1 let in" in traffic("quarantine", "replay", "--reason", "unknown_sensor").out
    assert traffic("quarantine", "list").out == "Nothing is in quarantine.\n"
    assert "replay" not in traffic("verify", "--deep").out
