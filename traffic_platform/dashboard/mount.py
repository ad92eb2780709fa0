"""The page as a part of the application."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from nicegui import app as nicegui_app
from nicegui import ui

from traffic_platform.api.not_found import keep_problems
from traffic_platform.dashboard.corridor import corridor_page
from traffic_platform.dashboard.day import day_page
from traffic_platform.dashboard.detectors import detectors_page
from traffic_platform.dashboard.overview import overview_page
from traffic_platform.dashboard.quarantine import quarantine_page
from traffic_platform.dashboard.sensor import sensor_page
from traffic_platform.dashboard.shared.access_log import leave_out_queries
from traffic_platform.dashboard.shared.day_pages import link, on_date, parse_words
from traffic_platform.dashboard.shared.frame import add_style
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.render import compile_templates

# Messages that a page which lost its connection for a moment is sent again.
_HISTORY = 60
_BUILD_S = 20.0
# White on it has a contrast of 7.8.
_PRIMARY = "#12586b"


def mount(app: FastAPI) -> PageContext:
    """Add the page at `/`, over the settings and the database of this application; its rooms."""
    context = PageContext.of(app)
    keep_problems(app)
    leave_out_queries()
    add_style()
    compile_templates()
    nicegui_app.colors(primary=_PRIMARY)

    @ui.page("/", response_timeout=_BUILD_S)
    async def now() -> None:  # pyright: ignore[reportUnusedFunction]  (NiceGUI calls it)
        await overview_page.build(context)

    @ui.page(corridor_page.PATH, response_timeout=_BUILD_S)
    async def of_corridor(  # pyright: ignore[reportUnusedFunction]
        road: str | None = None, direction: str | None = None, date: str | None = None
    ) -> None:
        without = link(corridor_page.PATH, road=road, direction=direction)
        build = partial(corridor_page.build, context, road, direction)
        await on_date(context, corridor_page.PATH, date, build, without=without)

    @ui.page(sensor_page.PATH, response_timeout=_BUILD_S)
    async def search(q: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        await sensor_page.build_search(context, parse_words(q))

    @ui.page(sensor_page.PATH + "/{name}", response_timeout=_BUILD_S)
    async def of_sensor(  # pyright: ignore[reportUnusedFunction]
        name: str, date: str | None = None
    ) -> None:
        sensor_id = sensor_page.parse_id(name)
        if sensor_id is None:
            sensor_page.build_unknown(context, parse_words(name))
            return
        build = partial(sensor_page.build, context, sensor_id)
        await on_date(
            context, sensor_page.PATH, date, build, without=f"{sensor_page.PATH}/{sensor_id}"
        )

    @ui.page(day_page.PATH, response_timeout=_BUILD_S)
    async def of_day(date: str | None = None) -> None:  # pyright: ignore[reportUnusedFunction]
        await on_date(
            context, day_page.PATH, date, partial(day_page.build, context), without=day_page.PATH
        )

    @ui.page(detectors_page.PATH, response_timeout=_BUILD_S)
    async def of_detectors(  # pyright: ignore[reportUnusedFunction]
        date: str | None = None,
    ) -> None:
        await on_date(
            context,
            detectors_page.PATH,
            date,
            partial(detectors_page.build, context),
            without=detectors_page.PATH,
        )

    @ui.page(quarantine_page.PATH, response_timeout=_BUILD_S)
    async def of_quarantine(  # pyright: ignore[reportUnusedFunction]
        reason: str | None = None,
    ) -> None:
        await quarantine_page.build(context, None if reason is None else parse_words(reason))

    ui.run_with(
        app,
        title="traffic_platform",
        dark=None,
        language="en-US",
        tailwind=False,
        binding_refresh_interval=None,
        message_history_length=_HISTORY,
        # The default, 9, costs three times as much for a twentieth less.
        gzip_middleware_factory=lambda app: GZipMiddleware(app, compresslevel=5),
        show_welcome_message=False,
    )
    return context
