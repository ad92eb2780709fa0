"""API and dashboard of the stack: one process that serves both."""

from __future__ import annotations

import http.client
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from traffic_platform.stack.processes import DIRECT, Command, python_server
from traffic_platform.stack.service import Service

_ANSWER_SECONDS = 1


@dataclass(frozen=True)
class Api(Service):
    """The API and the dashboard, bound to `host` (TRAFFIC_API_HOST) and a reserved port."""

    host: str
    port: int
    cwd: Path
    name: str = "api"

    @property
    def url(self) -> str:
        """URL by which this machine reaches it, also when it is bound to all addresses."""
        return f"http://{_reachable(self.host)}:{self.port}"

    def command(self) -> Command:
        """Return the command that serves both at the stack's port."""
        address = {"TRAFFIC_API_HOST": self.host, "TRAFFIC_API_PORT": str(self.port)}
        return python_server(self.cwd, address, "traffic_platform.dashboard")

    def ready(self) -> bool:
        """Return whether it answers."""
        try:
            with DIRECT.open(f"{self.url}/health/live", timeout=_ANSWER_SECONDS) as response:
                return response.status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False


def _reachable(host: str) -> str:
    """Return the host for a URL. An unspecified address (0.0.0.0, ::) becomes the loopback one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
