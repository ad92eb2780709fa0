"""`traffic sensors` with a real database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic

TRAFFIC = (sys.executable, "-c", "from traffic_platform.cli import main; main()")
PORTLAND = Path(__file__).parents[2] / "examples/portland_i205"


def test_a_broken_table_is_one_line_with_line_and_column(traffic: Traffic, tmp_path: Path) -> None:
    file = tmp_path / "sensors.csv"
    file.write_text("external_id,lanes\na,1\nb,many\n")
    result = traffic("sensors", "import", file)
    assert result.code == 1
    assert result.err == f"{file}, line 3, column lanes: 'many' is not a number.\n"
    assert traffic("sensors", "list", "--json").json == []


def test_portlands_tables_are_imported_and_listed(traffic: Traffic) -> None:
    assert traffic("sensors", "list").out == "No sensor is registered yet.\n"
    first = traffic("sensors", "import", PORTLAND)
    assert (first.code, first.out) == (0, "52 added, 0 changed, 0 unchanged\n")
    again = traffic("sensors", "import", PORTLAND / "freeway_detectors.csv", "--json").json
    assert (again["added"], again["changed"], len(again["unchanged"])) == ([], [], 52)
    listed = traffic("sensors", "list", "--road", "I-205", "--json").json
    assert len(listed) == 52
    assert listed[0]["external_id"] == "1345"
    assert listed[0]["newest_reading"] is None
    assert "Sunnyside NB" in traffic("sensors", "list").out


def test_the_changes_of_an_import_are_shown_old_and_new(traffic: Traffic, tmp_path: Path) -> None:
    file = tmp_path / "sensors.csv"
    file.write_text("external_id,name\na,Old name\n")
    traffic("sensors", "import", file)
    file.write_text("external_id,name,interval_s\na,New name,30\n")
    result = traffic("sensors", "import", file)
    assert "1 changed" in result.out
    for text in ("Old name", "New name", "(none)", "30"):
        assert text in result.out


def test_an_import_says_from_when_on_changed_values_apply(traffic: Traffic, tmp_path: Path) -> None:
    file = tmp_path / "sensors.csv"
    file.write_text("external_id,interval_s,length_mi\na,20,1\n")
    traffic("sensors", "import", file)
    file.write_text("external_id,interval_s,lanes\na,60,2\n")
    changed = traffic("sensors", "import", file)
    assert "keep the old values. To change these too, import with --valid-from." in changed.out
    assert "since the beginning" in changed.out  # the lanes, which were unknown
    shown = traffic("sensors", "show", "a", "--json").json
    assert [period["interval_s"] for period in shown["periods"]] == [20, 60]
    assert [period["lanes"] for period in shown["periods"]] == [2, 2]
    assert shown["periods"][0]["valid_until"] == shown["valid_from"]
    file.write_text("external_id,interval_s\na,0.1\n")
    corrected = traffic("sensors", "import", file, "--valid-from", "beginning")
    assert "Roll-ups of the past were computed again." in corrected.out
    assert "imported" in traffic("sensors", "show", "a").out
    shown = traffic("sensors", "show", "a", "--json").json
    assert [period["interval_s"] for period in shown["periods"]] == [0.1, 60]
    unknown = traffic("sensors", "show", "nobody")
    assert (unknown.code, unknown.err) == (
        1, "Unknown sensor 'nobody'. `traffic sensors list` lists the sensors.\n"
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_command_exits_with_130(
    number: signal.Signals, settings: Settings, environment: dict[str, str]
) -> None:
    with psycopg.connect(settings.endpoints().owner_url) as blocking:
        blocking.execute("lock table traffic.sensors in access exclusive mode")
        command = subprocess.Popen(
            [*TRAFFIC, "sensors", "list"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waits = (
            "select 1 from pg_locks where not granted and database ="
            " (select oid from pg_database where datname = current_database())"
        )
        deadline = time.monotonic() + 30
        while blocking.execute(waits).fetchone() is None:
            assert time.monotonic() < deadline
        command.send_signal(number)
        printed = command.communicate(timeout=30)
    assert command.returncode == 130, printed
    assert "Traceback" not in printed[1]
