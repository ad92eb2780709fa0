"""`traffic --version`, and completion of commands in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from traffic_platform_tests.cli.conftest import Traffic


def test_version_is_one_line_with_the_name_of_the_command(traffic_alone: Traffic) -> None:
    shown = traffic_alone("--version")
    assert (shown.code, shown.out) == (0, f"traffic {version('traffic-platform')}\n")


@pytest.mark.parametrize(
    ("words", "expected"), [("traffic ver", "verify"), ("traffic keys cr", "create")]
)
def test_bash_completes_a_command(words: str, expected: str) -> None:
    asked = {
        "_TRAFFIC_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    command = "from traffic_platform.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command],
        check=True,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [expected]


def test_the_help_names_the_installation_of_completion(traffic_alone: Traffic) -> None:
    assert "--install-completion" in traffic_alone("--help").out
