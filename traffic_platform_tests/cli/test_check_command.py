"""`traffic check`: exit codes and output."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest

from benchmarks.fortnight import NULL_SPEEDS, Fortnight
from traffic_platform.quality.checks import CHECKS
from traffic_platform_tests.cli.conftest import Traffic
from traffic_platform_tests.conftest import PostgresServer

LAST_DAY = ("--date", "2025-10-14")
DELETED = ("--check", "every_event_has_its_reading", *LAST_DAY)


@pytest.fixture
def checked(
    postgres: PostgresServer, database: str, traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> Traffic:
    """The command with a database and without Kafka."""
    monkeypatch.setenv("TRAFFIC_DATABASE_URL", postgres.service.url("traffic_read", database))
    return traffic_alone


def delete_at_noon(owner: psycopg.Connection) -> None:
    """Delete six readings."""
    owner.execute(
        "delete from traffic.traffic_readings where \"timestamp\" = '2025-10-14 12:00+00'"
    )


def test_check_exits_1_after_an_error_and_shows_rows_and_runbook(
    owner: psycopg.Connection, checked: Traffic
) -> None:
    Fortnight(days=1, sensors=1).store(owner)
    delete_at_noon(owner)
    result = checked("check", *DELETED)
    assert result.code == 1
    assert "ERROR" in result.out
    assert "2025-10-14T12:00:00Z" in result.out
    assert "What to do: docs/runbooks/every_event_has_its_reading.md" in result.out
    assert "1 check: 1 error, 0 warnings, 0 not evaluated" in result.out


def test_check_shows_warnings_and_exits_0(owner: psycopg.Connection, checked: Traffic) -> None:
    Fortnight(sensors=1).store(owner, [NULL_SPEEDS])
    result = checked("check", "--check", "measures_present", *LAST_DAY)
    assert (result.code, result.err) == (0, "")
    assert "WARN" in result.out
    assert "north (north-1)" in result.out
    assert "0 errors, 1 warning" in result.out


def test_check_as_json_prints_only_one_document(
    owner: psycopg.Connection, checked: Traffic
) -> None:
    Fortnight(days=1, sensors=1).store(owner)
    delete_at_noon(owner)
    result = checked("check", "--json", *LAST_DAY)
    assert (result.code, result.err) == (1, "")
    assert (result.json["date"], result.json["passed"]) == ("2025-10-14", False)
    checks = {check["name"]: check for check in result.json["checks"]}
    assert set(checks) == {check.name for check in CHECKS}
    assert checks["every_event_has_its_reading"]["numbers"] == {"readings missing": 6}
    assert checks["every_event_has_its_reading"]["sample"][0]["timestamp"].endswith("Z")
    assert checks["measures_in_range"]["passed"] is True
    assert checks["clocks_agree"]["evaluated"] is False


def test_check_writes_junit_xml_beside_its_output(
    owner: psycopg.Connection, checked: Traffic, tmp_path: Path
) -> None:
    Fortnight(days=1, sensors=1).store(owner)
    delete_at_noon(owner)
    assert checked("check", *DELETED, "--junit", tmp_path / "checks.xml").code == 1
    assert ET.parse(tmp_path / "checks.xml").getroot()[0].get("failures") == "1"


def test_check_of_an_empty_database_passes(checked: Traffic) -> None:
    result = checked("check")
    assert (result.code, result.err) == (0, "")
    assert "0 errors, 0 warnings" in result.out


def test_check_exits_2_within_seconds_with_one_line_during_a_database_outage(
    checked: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_READ_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/traffic")
    started = time.monotonic()
    result = checked("check")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("PostgreSQL: ")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "arguments", [("--check", "nosuch"), ("--date", "14.10.2025"), ("--date", "2025-02-30")]
)
def test_check_exits_2_for_an_invalid_argument(
    checked: Traffic, arguments: tuple[str, str]
) -> None:
    result = checked("check", *arguments)
    assert (result.code, result.out) == (2, "")
    assert arguments[1] in result.err or "nosuch" in result.err


def test_check_exits_2_if_the_platforms_time_zone_differs(
    checked: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_TIMEZONE", "America/Los_Angeles")
    result = checked("check")
    assert (result.code, result.out) == (2, "")
    assert "Set TRAFFIC_TIMEZONE=UTC" in result.err


PORTLAND = Path(__file__).parents[2] / "examples/portland_i205"
# Detectors of ramps. Their speed and occupancy are 0 although they count vehicles.
WITHOUT_SPEED = {
    "1350", "1366", "1374", "1382", "1390", "1398", "1406", "1414", "1422", "1735", "1812", "1861",
    "1944", "1948", "1952", "1956",
}  # fmt: skip
NOTHING_BUT_ZEROS = {"1358"}


def test_portlands_hour_names_detectors_without_speed_and_those_that_repeat_zeros(
    traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    assert traffic("replay", PORTLAND / "freeway_loopdata_OneHour.csv").code == 0
    assert traffic("ingest", "--once").code == 0
    result = traffic("check", "--date", "2011-09-15", "--json")
    assert result.code == 0
    checks = {check["name"]: check for check in result.json["checks"]}
    failed = {name for name, check in checks.items() if not check["passed"]}
    assert failed == {"measures_present", "values_change"}
    named = {name: {row["sensor"] for row in checks[name]["sample"]} for name in failed}
    assert named == {
        "measures_present": WITHOUT_SPEED,
        "values_change": WITHOUT_SPEED | NOTHING_BUT_ZEROS,
    }
