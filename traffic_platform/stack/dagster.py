"""Dagster's three processes: code server, webserver and daemon.

The code server is a process of its own, on a port that the stack has reserved, so that it can be
restarted alone: a second server on the same port would start in silence while the old one keeps
getting the runs.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

import traffic_platform
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Preparation

# The same name as in workspace.yaml: Dagster keeps what is switched on under it.
LOCATION = "traffic_platform"
_MODULE = "traffic_platform.definitions"

_ANSWER_SECONDS = 3

_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
_DAEMONS = """{ instance { daemonHealth { allDaemonStatuses {
    daemonType required healthy lastHeartbeatTime } } } }"""


@dataclass(frozen=True)
class DagsterPlace:
    """Where Dagster is: its folder, its ports, and the folder that `traffic up` was typed in."""

    home: Path
    cwd: Path
    port: int
    code_port: int

    @property
    def url(self) -> str:
        """Address of the user interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workspace(self) -> Path:
        """File that tells webserver and daemon where the code server is."""
        return self.home / "workspace.yaml"

    def write_files(self) -> None:
        """Put dagster.yaml and the workspace where the processes find them."""
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_instance_file(), self.home / "dagster.yaml")
        server = {"host": "127.0.0.1", "port": self.code_port, "location_name": LOCATION}
        # JSON is YAML too.
        self.workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))

    def command(self, *arguments: str) -> Command:
        """A Dagster program with this instance."""
        return Command(
            argv=(sys.executable, "-m", *arguments),
            cwd=self.cwd,
            env={
                "DAGSTER_HOME": str(self.home),
                "PYTHONUNBUFFERED": "1",
                # glibc gives each of Dagster's many threads an arena of its own otherwise.
                "MALLOC_ARENA_MAX": "2",
            },
        )


def ask(url: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The answer of the webserver's GraphQL; None when it gives none within some seconds."""
    request = urllib.request.Request(  # noqa: S310  (http, and our own address)
        f"{url}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    # A proxy of the environment is for other machines.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ANSWER_SECONDS) as response:
            answer = json.load(response)
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return answer.get("data") if isinstance(answer, dict) else None


def location_error(url: str) -> str | None:
    """Why the webserver cannot use the code location; None when it can."""
    answer = ask(url, _LOCATIONS)
    if answer is None:
        return "the webserver does not answer"
    for entry in answer["workspaceOrError"].get("locationEntries", ()):
        found = entry["locationOrLoadError"]
        if entry["name"] == LOCATION and found:
            loaded = found["__typename"] == "RepositoryLocation"
            return None if loaded else str(found.get("message", "it is being loaded"))
    return "the code location is not loaded yet"


@dataclass(frozen=True)
class CodeServer:
    """Loads the definitions, evaluates sensors and starts runs."""

    place: DagsterPlace
    name: str = "dagster-code"

    def preparations(self) -> Sequence[Preparation]:
        """Write the instance's files."""
        self.place.write_files()
        return ()

    def command(self) -> Command:
        """Dagster's gRPC server."""
        return self.place.command(
            "dagster", "api", "grpc", "--module-name", _MODULE, "--location-name", LOCATION,
            "--host", "127.0.0.1", "--port", str(self.place.code_port),
            "--use-python-environment-entry-point", "--log-level", "warning",
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it accepts connections, which it does once the definitions are loaded."""
        try:
            socket.create_connection(("127.0.0.1", self.place.code_port), timeout=1).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Webserver:
    """Dagster's user interface."""

    place: DagsterPlace
    name: str = "dagster-webserver"

    def preparations(self) -> Sequence[Preparation]:
        """Nothing."""
        return ()

    def command(self) -> Command:
        """The webserver."""
        return self.place.command(
            "dagster_webserver", "--host", "127.0.0.1", "--port", str(self.place.port),
            "--workspace", str(self.place.workspace),
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it answers, and has loaded the code location."""
        return location_error(self.place.url) is None


class Daemon:
    """Evaluates sensors and schedules, and launches queued runs."""

    name = "dagster-daemon"

    def __init__(self, place: DagsterPlace) -> None:
        self._place = place
        self._started = 0.0

    def preparations(self) -> Sequence[Preparation]:
        """Nothing."""
        return ()

    def command(self) -> Command:
        """The daemon."""
        self._started = time.time()
        workspace = str(self._place.workspace)
        return self._place.command("dagster._daemon", "run", "--workspace", workspace)

    def ready(self) -> bool:
        """Whether each daemon that this instance requires has given a sign since the start."""
        answer = ask(self._place.url, _DAEMONS)
        statuses = answer["instance"]["daemonHealth"]["allDaemonStatuses"] if answer else []
        required = [status for status in statuses if status["required"]]
        return bool(required) and all(
            status["healthy"] and status["lastHeartbeatTime"] >= self._started
            for status in required
        )


def is_stateless(process: psutil.Process) -> bool:
    """Whether this is one of the three, and not a run, which has a batch to finish.

    They end only after a sensor's tick has, which may take twenty seconds; a tick that is cut off
    loses nothing.
    """
    try:
        words = set(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return bool(words & {"grpc", "dagster_webserver", "dagster._daemon"})


def _instance_file() -> Path:
    """dagster.yaml: inside the installed wheel, or beside the package in a checkout."""
    package = Path(traffic_platform.__file__).parent
    for file in (package / "_dagster.yaml", package.parent / "dagster.yaml"):
        if file.is_file():
            return file
    raise StackError(f"{package.parent / 'dagster.yaml'} is not there: install the project again.")
