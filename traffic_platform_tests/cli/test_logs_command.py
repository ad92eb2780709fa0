"""`traffic logs` with the logs of a stack, and `traffic open`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from traffic_platform.stack.processes import ProcessId
from traffic_platform.stack.state import StackFolders, StackState
from traffic_platform_tests.cli.conftest import Traffic

COMMAND = (sys.executable, "-u", "-c", "from traffic_platform.cli import main; main()")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Logs of two services."""
    folder = tmp_path / "home" / "logs"
    folder.mkdir(parents=True)
    (folder / "kafka.log").write_text("".join(f"line {number}\n" for number in range(100)))
    (folder / "api.log").write_text("GET /\n")
    return folder


def test_the_end_of_one_log_is_shown_as_it_is(traffic_alone: Traffic, logs: Path) -> None:
    assert traffic_alone("logs", "kafka", "--lines", 2).out == "line 98\nline 99\n"


def test_without_a_service_each_line_names_its_service(traffic_alone: Traffic, logs: Path) -> None:
    shown = traffic_alone("logs", "--lines", 1)
    assert shown.out == "api   | GET /\nkafka | line 99\n"


def test_an_unknown_service_is_refused_with_the_names(traffic_alone: Traffic, logs: Path) -> None:
    refused = traffic_alone("logs", "kafak")
    assert refused.code == 2
    assert "Unknown service 'kafak'. Use api, kafka." in refused.err


def test_a_stack_without_logs_is_named(traffic_alone: Traffic, tmp_path: Path) -> None:
    refused = traffic_alone("logs")
    assert refused.code == 1
    assert refused.err.startswith(f"No logs in {tmp_path / 'home' / 'logs'}.")


def test_following_shows_new_lines_also_after_the_log_was_emptied(logs: Path) -> None:
    log = logs / "kafka.log"
    process = subprocess.Popen(
        [*COMMAND, "logs", "kafka", "-f", "--lines", "1"],
        env={**os.environ, "TRAFFIC_HOME": str(logs.parent)},
        cwd=logs.parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "line 99\n"
        with log.open("a") as stream:
            stream.write("line 100\n")
        assert process.stdout.readline() == "line 100\n"
        os.truncate(log, 0)
        with log.open("a") as stream:
            stream.write("first again\n")
        assert process.stdout.readline() == "first again\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_open_without_a_stack_says_so(traffic_alone: Traffic, tmp_path: Path) -> None:
    refused = traffic_alone("open")
    assert refused.code == 1
    assert str(tmp_path / "home") in refused.err
    assert "traffic up" in refused.err


def test_open_prints_the_address_and_gives_it_to_the_browser(
    traffic_alone: Traffic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = StackFolders(tmp_path / "home")
    folders.make()
    here = ProcessId.of(os.getpid())
    assert here is not None
    url = "http://127.0.0.1:8000"
    StackState("ready", here.pid, here.started, api_url=url).save(folders.state_file)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "opened"}\n')
    browser.chmod(0o700)
    # The trailing %s makes the module wait for the program.
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert traffic_alone("open").out == f"{url}\n"
    assert (tmp_path / "opened").read_text() == f"{url}\n"
