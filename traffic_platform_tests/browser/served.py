"""The dashboard in its own process."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from traffic_platform.settings import Settings
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Preparation, Service
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.conftest import as_environment

FIRST_PORT = 28200


@dataclass(frozen=True)
class PageService(Service):
    """A module that serves the dashboard at a port of 127.0.0.1."""

    port: int
    environment: Mapping[str, str]
    module: str
    name: str = "page"
    empty: Sequence[Preparation] = field(default=())

    @property
    def url(self) -> str:
        """URL of the dashboard."""
        return f"http://127.0.0.1:{self.port}"

    def preparations(self) -> Sequence[Preparation]:
        """Return no preparations."""
        return self.empty

    def command(self) -> Command:
        """Return the command of the process."""
        argv = [sys.executable, "-m", self.module]
        variables = {**self.environment, "TRAFFIC_API_PORT": str(self.port)}
        return Command(argv, Path.cwd(), variables)

    def ready(self) -> bool:
        """Return True if the dashboard answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/health/live", timeout=1) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False


@contextmanager
def served(
    settings: Settings, folder: Path, module: str = "traffic_platform.dashboard", **changes: str
) -> Iterator[str]:
    """Serve the dashboard with these settings and environment variables; yield its URL."""
    ports = Ports(folder / "page-ports.json")
    service = PageService(
        ports.reserve("api", FIRST_PORT), as_environment(settings) | changes, module
    )
    process = Standalone(service, folder / "logs")
    process.start()
    try:
        yield service.url
    finally:
        process.stop()
        ports.close()
