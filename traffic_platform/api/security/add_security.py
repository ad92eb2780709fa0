"""The gate around an application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from traffic_platform.api.security.api_keys import ApiKeys
from traffic_platform.api.security.auth_middleware import AuthMiddleware
from traffic_platform.api.security.concurrency_limits import places_of
from traffic_platform.api.security.open_responses import OpenResponses
from traffic_platform.api.security.policy import Policy
from traffic_platform.settings import Settings, listed


class Security:
    """What stands around one application. `open` it while the application is served.

    `places`: what is open now, of each kind.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """Put the gate around everything that is added to `app`, sooner or later."""
        self._stopping: asyncio.Event = app.state.stopping
        self._keyring = ApiKeys(settings)
        self._responses = OpenResponses()
        policy = Policy.of(settings)
        self.places = places_of(policy.caps)
        app.add_middleware(
            AuthMiddleware,
            policy=policy,
            keyring=self._keyring,
            responses=self._responses,
            places=self.places,
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
        """Look keys up, and end streams when the server stops."""
        ender = asyncio.create_task(self._end_streams())
        try:
            async with self._keyring.watch():
                yield
        finally:
            ender.cancel()
            with suppress(asyncio.CancelledError):
                await ender

    async def _end_streams(self) -> None:
        await self._stopping.wait()
        self._responses.end_streams()


def _tile_origins(settings: Settings) -> tuple[str, ...]:
    """Where the page's map may load pictures from: what the setting names, and nothing else."""
    if settings.map_tiles is None:
        return ()
    place = urlsplit(settings.map_tiles)
    # {s} stands for one of several servers.
    return (f"{place.scheme}://{place.netloc.replace('{s}', '*')}",)
