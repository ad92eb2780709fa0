"""Dagster's three processes: code server, webserver and daemon.

The code server is a separate process on a reserved port, so that it can be restarted alone. A
second server on the same port would start without an error, while the old one keeps getting the
runs.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

import traffic_platform
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.processes import DIRECT, Command, python_server
from traffic_platform.stack.service import Preparation, Service

# The same name as in workspace.yaml: Dagster stores the state of schedules and sensors under it.
LOCATION = "traffic_platform"
_MODULE = "traffic_platform.definitions"
_WEBSERVER = "traffic_platform.webserver"
_DAEMON = "traffic_platform.orchestration.instance.daemon"

_ANSWER_SECONDS = 3

_LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
_DAEMONS = """{ instance { daemonHealth { allDaemonStatuses {
    daemonType required healthy lastHeartbeatTime } } } }"""


@dataclass(frozen=True)
class DagsterInstance:
    """Dagster's folder and ports, and the folder in which `traffic up` was started."""

    home: Path
    cwd: Path
    port: int
    code_port: int

    @property
    def url(self) -> str:
        """URL of the user interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workspace(self) -> Path:
        """File with the code server's address, for webserver and daemon."""
        return self.home / "workspace.yaml"

    def write_files(self) -> None:
        """Write dagster.yaml and the workspace into Dagster's folder."""
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_instance_file(), self.home / "dagster.yaml")
        server = {"host": "127.0.0.1", "port": self.code_port, "location_name": LOCATION}
        # JSON is valid YAML.
        self.workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))

    def command(self, *arguments: str) -> Command:
        """Return the command of a Dagster program with this instance."""
        return python_server(self.cwd, {"DAGSTER_HOME": str(self.home)}, *arguments)


def ask(url: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Send a GraphQL query to the webserver. Return None when it does not answer in 3 seconds."""
    request = urllib.request.Request(  # noqa: S310  (http, and our own address)
        f"{url}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with DIRECT.open(request, timeout=_ANSWER_SECONDS) as response:
            answer = json.load(response)
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return answer.get("data") if isinstance(answer, dict) else None


def location_error(url: str) -> str | None:
    """Return why the webserver cannot use the code location, None when it can."""
    answer = ask(url, _LOCATIONS)
    if answer is None:
        return "the webserver does not answer"
    for entry in answer["workspaceOrError"].get("locationEntries", ()):
        found = entry["locationOrLoadError"]
        if entry["name"] == LOCATION and found:
            loaded = found["__typename"] == "RepositoryLocation"
            return None if loaded else str(found.get("message", "the code location is loading"))
    return "the code location is not loaded yet"


@dataclass(frozen=True)
class CodeServer(Service):
    """The service that loads the definitions, evaluates sensors and starts runs."""

    instance: DagsterInstance
    name: str = "dagster-code"

    def preparations(self) -> Sequence[Preparation]:
        """Write the instance's files. Return no preparations."""
        self.instance.write_files()
        return ()

    def command(self) -> Command:
        """Return the command of Dagster's gRPC server."""
        return self.instance.command(
            "dagster", "api", "grpc", "--module-name", _MODULE, "--location-name", LOCATION,
            "--host", "127.0.0.1", "--port", str(self.instance.code_port),
            "--use-python-environment-entry-point", "--log-level", "warning",
        )  # fmt: skip

    def ready(self) -> bool:
        """Return whether it accepts connections, which means that it has loaded the definitions."""
        try:
            socket.create_connection(("127.0.0.1", self.instance.code_port), timeout=1).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Webserver(Service):
    """The service with Dagster's user interface."""

    instance: DagsterInstance
    name: str = "dagster-webserver"

    def command(self) -> Command:
        """Return the command of the webserver."""
        return self.instance.command(
            _WEBSERVER, "--host", "127.0.0.1", "--port", str(self.instance.port),
            "--workspace", str(self.instance.workspace),
        )  # fmt: skip

    def ready(self) -> bool:
        """Return whether it answers and has loaded the code location."""
        return location_error(self.instance.url) is None


class Daemon(Service):
    """The service that evaluates sensors and schedules, and launches queued runs."""

    name = "dagster-daemon"

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = instance
        self._started = 0.0

    def command(self) -> Command:
        """Return the command of the daemon."""
        self._started = time.time()
        workspace = str(self._instance.workspace)
        return self._instance.command(_DAEMON, "--workspace", workspace)

    def ready(self) -> bool:
        """Return whether each required daemon has sent a heartbeat since the start."""
        answer = ask(self._instance.url, _DAEMONS)
        statuses = answer["instance"]["daemonHealth"]["allDaemonStatuses"] if answer else []
        required = [status for status in statuses if status["required"]]
        return bool(required) and all(
            status["healthy"] and status["lastHeartbeatTime"] >= self._started
            for status in required
        )


def is_stateless(process: psutil.Process) -> bool:
    """Return whether this is one of the three, and not a run, which has a batch to finish.

    They end only after the current tick of a sensor, which may take twenty seconds. An interrupted
    tick loses nothing.
    """
    try:
        arguments = set(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return bool(arguments & {"grpc", _WEBSERVER, _DAEMON})


def _instance_file() -> Path:
    """Return dagster.yaml of the installed wheel, or beside the package in a checkout."""
    package = Path(traffic_platform.__file__).parent
    for file in (package / "_dagster.yaml", package.parent / "dagster.yaml"):
        if file.is_file():
            return file
    raise StackError(f"{package.parent / 'dagster.yaml'} is missing. Install the project again.")
