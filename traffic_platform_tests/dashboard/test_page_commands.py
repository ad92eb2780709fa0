"""Commands that the dashboard prints can be pasted into a shell as they are."""

from __future__ import annotations

import html
import re
import shlex
import shutil
from datetime import UTC, date, datetime
from typing import Any

import pytest
import typer

from traffic_platform.cli import build_app
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
from traffic_platform.dashboard.shared.days import Days
from traffic_platform.dashboard.shared.render import render
from traffic_platform.dashboard.shared.time_format import Zone

MESSAGE = {"topic": "traffic-raw", "partition": 3, "offset": 17}


def commands(page: str) -> list[list[str]]:
    """Words of each command in the page's blocks of text."""
    blocks = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return [shlex.split(html.unescape(line)) for block in blocks for line in block.splitlines()]


def assert_runs(words: list[str]) -> None:
    """Assert that a shell finds the program and that `traffic` accepts the arguments."""
    assert shutil.which(words[0]), f"{words[0]} is not on the PATH"
    command: Any = typer.main.get_command(build_app())
    arguments = words[1:]
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context("traffic", arguments)


@pytest.mark.parametrize("reason", [None, "malformed_json"])
def test_commands_of_the_quarantine_page_run_outside_the_environment(reason: str | None) -> None:
    found = commands(render("quarantine/reprocess", reason=reason, messages=[MESSAGE]))
    assert len(found) == 3
    assert found[2][-1] == "traffic-raw/3/17"
    for words in found:
        assert_runs(words)


def test_without_a_message_no_command_with_a_placeholder_is_shown() -> None:
    page = render("quarantine/reprocess", reason=None, messages=[])
    assert "TOPIC" not in page
    assert len(commands(page)) == 2


def test_the_command_of_a_day_without_diagnosis_runs() -> None:
    day, now = date(2025, 10, 4), datetime(2025, 10, 5, 11, 21, tzinfo=UTC)
    (words,) = commands(undiagnosed(Days(Zone("America/Los_Angeles"), day, [day]), now))
    assert_runs(words)
