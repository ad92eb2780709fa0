"""The application: the routes, over one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from traffic_platform.api import health
from traffic_platform.api.database import Database
from traffic_platform.api.metrics.install import add_metrics
from traffic_platform.api.security.install import Security
from traffic_platform.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The API with these settings; `app.state.database` is open while it is served."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with Database.open(settings) as database, security.open():
            app.state.database = database
            yield

    app = FastAPI(title="traffic_platform", lifespan=lifespan)
    app.state.settings = settings
    app.state.stopping = asyncio.Event()
    app.include_router(health.router)
    security = Security(app, settings)
    add_metrics(app)
    return app
