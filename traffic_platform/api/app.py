"""The FastAPI application: routes, security, metrics and the connections to PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from traffic_platform.api import health
from traffic_platform.api.database import Database
from traffic_platform.api.export import export_routes
from traffic_platform.api.head_requests import HeadAsGet
from traffic_platform.api.metrics.add_metrics import add_metrics
from traffic_platform.api.openapi import TITLE, describe
from traffic_platform.api.problems import add_problem_handlers
from traffic_platform.api.quality import quality_routes
from traffic_platform.api.security.add_security import Security
from traffic_platform.api.sensors import sensor_routes
from traffic_platform.api.stream import event_stream
from traffic_platform.api.stream.live_readings import LiveReadings
from traffic_platform.api.swagger_ui import add_swagger_ui
from traffic_platform.api.traffic import current, historical
from traffic_platform.api.traffic.current import Current
from traffic_platform.api.traffic.page_reader import PageReader
from traffic_platform.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the API with these settings. `app.state.database` is open while it is served."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with Database.open(settings) as database, security.open():
            app.state.database = database
            app.state.pages = PageReader(database)
            app.state.current = Current(database)
            app.state.live = LiveReadings(database, app.state.stopping)
            try:
                yield
            finally:
                app.state.stopping.set()
                await app.state.live.close()

    app = FastAPI(title=TITLE, lifespan=lifespan, docs_url=None, redoc_url=None)
    describe(app)
    app.state.settings = settings
    app.state.stopping = asyncio.Event()
    add_problem_handlers(app)
    for routes in (
        health,
        historical,
        current,
        event_stream,
        export_routes,
        sensor_routes,
        quality_routes,
    ):
        app.include_router(routes.router)
    add_swagger_ui(app)
    app.add_middleware(HeadAsGet)
    security = Security(app, settings)
    add_metrics(app, security.limits)
    return app
