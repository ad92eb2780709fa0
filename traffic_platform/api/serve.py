"""Serving an application over HTTP."""

from __future__ import annotations

import gc
import socket
import sys
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from traffic_platform.api.security.policy import Policy
from traffic_platform.settings import Settings

# Less than the stack, systemd and Kubernetes wait before they kill.
_FINISH_SECONDS = 10
# Longer than clients and proxies keep a connection that rests: if we close first, a request that is
# on its way meets a closed door.
_KEEP_ALIVE_SECONDS = 130
# A client that takes nothing for so long is given up, as exports do: it may be gone without a word.
_SILENT_SECONDS = 120


class Server(uvicorn.Server):
    """A server that tells the application first, so that streams without an end find one."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. The system ends connections whose other side acknowledges nothing any more."""
        await super().startup(sockets)
        self._give_up_the_silent()
        # What is there now stays: the collector need not look through it again and again, which
        # every request that comes meanwhile would wait for.
        gc.collect()
        gc.freeze()

    def _give_up_the_silent(self) -> None:
        if not hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it
            return
        for server in self.servers:
            for listener in server.sockets:  # what it accepts inherits it
                listener.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * _SILENT_SECONDS
                )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Set `app.state.stopping`, then finish what is in flight."""
        cast("Any", self.config.app).state.stopping.set()
        await super().shutdown(sockets)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until SIGTERM, then finish the requests in flight, for at most ten seconds.

    Server-sent events end at once; `app` is one of `create_app`.
    """
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,  # the metrics count requests
        server_header=False,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # By default uvicorn believes X-Forwarded-For of everybody on this machine.
        proxy_headers=bool(settings.api_trusted_proxies),
        forwarded_allow_ips=settings.api_trusted_proxies or None,
    )
    sys.stderr.write(f"{Policy.of(settings).describe(settings)}\n")
    Server(config).run()
