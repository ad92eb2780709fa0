"""Times in tables and sentences have seconds; JSON keeps the microseconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from traffic_platform.cli import console

TIME = datetime(2025, 10, 4, 8, 0, 59, 999_999, UTC)


def test_a_table_shows_seconds_and_json_the_exact_time(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table("", ("at",), [(TIME,)])
    shown = capsys.readouterr().out
    assert "2025-10-04T08:00:59Z" in shown
    console.print_json({"at": TIME})
    assert "2025-10-04T08:00:59.999999Z" in capsys.readouterr().out


def test_microseconds_since_1970_become_a_time() -> None:
    assert console.moment(1_759_564_859_999_999) == TIME
    assert console.time_text(console.moment(None)) == ""
