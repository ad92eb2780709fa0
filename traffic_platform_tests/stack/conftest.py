"""A stack with its own TRAFFIC_HOME, started and ended by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest

from traffic_platform.settings import Settings
from traffic_platform.stack import control
from traffic_platform.stack.processes import members
from traffic_platform.stack.state import StackFolders
from traffic_platform.stack.status import read_status

TRAFFIC = (sys.executable, "-c", "from traffic_platform.cli import main; main()")
# Apart from the usual ports and those of the session's servers, and below those that Linux gives to
# outgoing connections. Another process that runs tests in parallel has its own ports.
_APART = 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
POSTGRES_PORT = 26432 + _APART
PORTS = {
    "TRAFFIC_POSTGRES_PORT": str(POSTGRES_PORT),
    "TRAFFIC_KAFKA_PORT": str(28092 + _APART),
    "TRAFFIC_DAGSTER_PORT": str(23000 + _APART),
    "TRAFFIC_API_PORT": str(24000 + _APART),
}


@dataclass
class CommandLine:
    """Runs `traffic` for one TRAFFIC_HOME."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the commands, without the settings of the user who runs the tests."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TRAFFIC_")}
        return {**clean, "LC_ALL": "C", **PORTS, "TRAFFIC_HOME": str(self.home), **self.variables}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        return subprocess.Popen(
            [*TRAFFIC, *arguments],
            env=self.environment,
            cwd=self.home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def status(self) -> dict[str, Any]:
        """Return the content of `traffic status --json`, without starting a process."""
        with patch.dict(os.environ, self.environment, clear=True):
            settings = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
        return read_status(settings).as_json()

    def processes(self) -> list[psutil.Process]:
        """Return every process of the stack except the supervisor."""
        return members(str(self.home.resolve()))

    def supervisor(self) -> psutil.Process:
        """Return the supervisor."""
        return psutil.Process(json.loads((self.home / "run" / "state.json").read_text())["pid"])


@pytest.fixture(scope="module")
def make_stack(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., CommandLine]]:
    """make_stack(**variables): a command line with a fresh home; its stack is ended afterwards.

    The home is below a folder that only its owner may traverse, as homes often are. Its name has a
    space and a letter that the commands' locale does not know.
    """
    made: list[CommandLine] = []

    def make(**variables: str) -> CommandLine:
        folder = tmp_path_factory.mktemp("owner-only")
        folder.chmod(0o700)
        command = CommandLine(folder / "zu häuse", variables)
        made.append(command)
        return command

    yield make
    for command in made:
        control.stop(StackFolders(command.home.resolve()))
