"""Add the AuthMiddleware and CORS to an application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from traffic_platform.api.background import in_background
from traffic_platform.api.security.api_keys import ApiKeys
from traffic_platform.api.security.auth_middleware import AuthMiddleware
from traffic_platform.api.security.concurrency_limits import ConcurrencyLimits, Kind
from traffic_platform.api.security.open_responses import OpenResponses
from traffic_platform.api.security.policy import Policy
from traffic_platform.settings import Settings, listed


class Security:
    """The security of one application. `open` it while the application is served.

    limits: the open event streams and exports, and their limits.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """Add the middleware. It also protects routes and pages that are added later."""
        self._stopping: asyncio.Event = app.state.stopping
        self._keys = ApiKeys(settings)
        self._responses = OpenResponses()
        policy = Policy.of(settings)
        self.limits: dict[Kind, ConcurrencyLimits] = {
            kind: ConcurrencyLimits(caps) for kind, caps in policy.caps.items()
        }
        app.add_middleware(
            AuthMiddleware,
            policy=policy,
            keys=self._keys,
            responses=self._responses,
            limits=self.limits,
            images=_tile_origins(settings),
        )
        origins = listed(settings.api_cors_origins)
        if origins:
            app.add_middleware(
                CORSMiddleware,
                allow_origins=origins,
                allow_methods=("GET",),
                allow_headers=("Authorization", "X-API-Key", "If-None-Match", "Last-Event-ID"),
                expose_headers=("ETag", "Retry-After", "RateLimit", "RateLimit-Policy"),
                max_age=600,
            )

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Look up keys until the block ends; end event streams when the server stops."""
        async with in_background(self._end_streams()), self._keys.watch():
            yield

    async def _end_streams(self) -> None:
        await self._stopping.wait()
        self._responses.end_streams()


def _tile_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origin of TRAFFIC_MAP_TILES, from which the map may load tiles."""
    if settings.map_tiles is None:
        return ()
    url = urlsplit(settings.map_tiles)
    # {s} stands for one of several servers.
    return (f"{url.scheme}://{url.netloc.replace('{s}', '*')}",)
