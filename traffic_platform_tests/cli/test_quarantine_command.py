"""`traffic quarantine` after a real ingest run."""

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
    assert (result.code, result.out) == (0, "The quarantine is empty.\n")
    assert traffic("quarantine", "list", "--json").json["total"] == 0


@pytest.mark.parametrize(
    "arguments", [["traffic-raw"], ["traffic-raw", 1], ["a/b/c"], ["x", 1, "y"]]
)
def test_an_incomplete_id_is_rejected(traffic_alone: Traffic, arguments: list[object]) -> None:
    assert traffic_alone("quarantine", "show", *arguments).code == 2


def test_a_missing_message_is_one_line(settings: Settings, filled: Traffic) -> None:
    result = filled("quarantine", "show", settings.raw_topic, 0, 99)
    assert result.code == 1
    assert result.err.startswith(f"Offset 99 of {settings.raw_topic} [0] is not in quarantine")


def test_messages_are_counted_and_listed(settings: Settings, filled: Traffic) -> None:
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


def test_an_unknown_reason_is_rejected_with_the_known_ones(traffic_alone: Traffic) -> None:
    for command in ("list", "reprocess"):
        result = traffic_alone("quarantine", command, "--reason", "no_measure")
        assert result.code == 2
        assert "no_measures" in result.err


def test_an_invalid_date_is_rejected_with_the_format(traffic_alone: Traffic) -> None:
    result = traffic_alone("quarantine", "list", "--date", "24.11.2026")
    assert result.code == 2
    assert "YYYY-MM-DD" in result.err


def test_reprocessing_an_empty_quarantine_says_so(traffic: Traffic) -> None:
    result = traffic("quarantine", "reprocess")
    assert (result.code, result.out, result.err) == (0, "The quarantine has no such message.\n", "")


def test_replay_is_a_hidden_alias_that_names_the_new_command(traffic: Traffic) -> None:
    assert "replay" not in traffic("quarantine", "--help").out
    result = traffic("quarantine", "replay", "--dry-run", "--json")
    assert (result.code, result.json["examined"], result.json["dry_run"]) == (0, 0, True)
    assert result.err == (
        "`traffic quarantine replay` is now called `traffic quarantine reprocess`.\n"
    )


def test_reprocessing_accepts_messages_that_a_setting_makes_valid(
    traffic: Traffic,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_topic(partitions=1)
    produce([b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00","speed":50}', NO_MEASURES])
    assert traffic("ingest", "--once").code == 0
    assert "TRAFFIC_NAIVE_TIMEZONE is not set" in traffic("quarantine", "reprocess").out
    monkeypatch.setenv("TRAFFIC_NAIVE_TIMEZONE", "Asia/Tokyo")
    tried = traffic("quarantine", "reprocess", "--dry-run")
    assert "1 became events, 1 stay in quarantine (dry run" in tried.out
    assert traffic("quarantine", "list", "--json").json["total"] == 2
    done = traffic("quarantine", "reprocess", "--json").json
    assert (done["examined"], done["replayed"], done["remaining"]) == (2, 1, 1)
    assert done["replayed_by_reason"] == {"timestamp_without_zone": 1}
    assert done["remaining_by_reason"] == {"no_measures": 1}
    assert (done["dates"], done["inserted"], done["dry_run"]) == ({"2025-10-03": 1}, 1, False)
    again = traffic("quarantine", "reprocess")
    assert "0 became events, 1 stay in quarantine.\n" in again.out
    assert "TRAFFIC_NAIVE_TIMEZONE" not in again.out
    assert traffic("quarantine", "list", "--json").json["total"] == 1
    assert traffic("quarantine", "list", "--all", "--json").json["total"] == 2
    assert traffic("verify", "--deep").code == 0


def test_an_event_of_an_unknown_sensor_is_reprocessed_after_an_import(
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
    command = ("quarantine", "reprocess", "--reason", "unknown_sensor")
    assert f"`traffic {' '.join(command)}`" in traffic("verify", "--deep").out
    assert "1 became events" in traffic(*command).out
    assert traffic("quarantine", "list").out == "The quarantine is empty.\n"
    assert "reprocess" not in traffic("verify", "--deep").out
