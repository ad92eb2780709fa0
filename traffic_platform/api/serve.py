"""The HTTP server: uvicorn with timeouts and an orderly end of streams."""

from __future__ import annotations

import gc
import socket
import sys
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from traffic_platform.api.security.policy import Policy
from traffic_platform.settings import Settings

# Shorter than the stack, systemd and Kubernetes wait before they kill a process.
_FINISH_SECONDS = 10
# Longer than clients and proxies keep an idle connection. If the server closed it first, a request
# that is on its way would fail.
_KEEP_ALIVE_SECONDS = 130
# Close the connection of a client that acknowledges no data for this long: it may have vanished.
_SILENT_SECONDS = 120


class Server(uvicorn.Server):
    """A server that tells the application about its end, so that endless streams end first."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. The kernel closes connections whose client acknowledges nothing any more."""
        await super().startup(sockets)
        self._drop_silent_clients()
        # The objects of the start live as long as the process. The garbage collector skips them
        # from now on, so that requests wait less for it.
        gc.collect()
        gc.freeze()

    def _drop_silent_clients(self) -> None:
        if not hasattr(socket, "TCP_USER_TIMEOUT"):  # only Linux has it
            return
        for server in self.servers:
            for listener in server.sockets:  # accepted connections inherit the option
                listener.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * _SILENT_SECONDS
                )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Set `app.state.stopping`, then finish the requests in flight."""
        cast("Any", self.config.app).state.stopping.set()
        await super().shutdown(sockets)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until SIGTERM, then finish the requests in flight within ten seconds.

    Server-sent events end at once. app: an application from `create_app`.
    """
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,  # the metrics count requests
        server_header=False,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # By default uvicorn trusts X-Forwarded-For from every client on this machine.
        proxy_headers=bool(settings.api_trusted_proxies),
        forwarded_allow_ips=settings.api_trusted_proxies or None,
    )
    sys.stderr.write(f"{Policy.of(settings).describe(settings)}\n")
    Server(config).run()
