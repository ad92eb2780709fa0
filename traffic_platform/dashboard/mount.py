"""The page as a part of the application."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from nicegui import app as nicegui_app
from nicegui import ui

from traffic_platform.api.unrouted import keep_problems
from traffic_platform.dashboard import corridor, day, detectors, overview, quarantine, sensor
from traffic_platform.dashboard.analyst import link, on_date, parse_words
from traffic_platform.dashboard.discreet_log import leave_out_queries
from traffic_platform.dashboard.frame import add_style
from traffic_platform.dashboard.render import compile_templates
from traffic_platform.dashboard.rooms import Rooms

# Messages that a page which lost its connection for a moment is sent again.
_HISTORY = 60
_BUILD_S = 20.0
# White on it has a contrast of 7.8.
_PRIMARY = "#12586b"


def mount(app: FastAPI) -> Rooms:
    """Add the page at `/`, over the settings and the database of this application; its rooms."""
    rooms = Rooms.of(app)
    keep_problems(app)
    leave_out_queries()
    add_style()
    compile_templates()
    nicegui_app.colors(primary=_PRIMARY)

    @ui.page("/", response_timeout=_BUILD_S)
    async def now() -> None:  # pyright: ignore[reportUnusedFunction]  (NiceGUI calls it)
        await overview.build(rooms)

    @ui.page(corridor.PATH, response_timeout=_BUILD_S)
    async def of_corridor(  # pyright: ignore[reportUnusedFunction]
        road: str | None = None, direction: str | None = None, date: str | None = None
    ) -> None:
        without = link(corridor.PATH, road=road, direction=direction)
        build = partial(corridor.build, rooms, road, direction)
        await on_date(rooms, corridor.PATH, date, build, without=without)

    @ui.page(sensor.PATH, response_timeout=_BUILD_S)
    async def search(q: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        await sensor.build_search(rooms, parse_words(q))

    @ui.page(sensor.PATH + "/{name}", response_timeout=_BUILD_S)
    async def of_sensor(  # pyright: ignore[reportUnusedFunction]
        name: str, date: str | None = None
    ) -> None:
        sensor_id = sensor.parse_id(name)
        if sensor_id is None:
            sensor.build_unknown(rooms, parse_words(name))
            return
        build = partial(sensor.build, rooms, sensor_id)
        await on_date(rooms, sensor.PATH, date, build, without=f"{sensor.PATH}/{sensor_id}")

    @ui.page(day.PATH, response_timeout=_BUILD_S)
    async def of_day(date: str | None = None) -> None:  # pyright: ignore[reportUnusedFunction]
        await on_date(rooms, day.PATH, date, partial(day.build, rooms), without=day.PATH)

    @ui.page(detectors.PATH, response_timeout=_BUILD_S)
    async def of_detectors(  # pyright: ignore[reportUnusedFunction]
        date: str | None = None,
    ) -> None:
        await on_date(
            rooms, detectors.PATH, date, partial(detectors.build, rooms), without=detectors.PATH
        )

    @ui.page(quarantine.PATH, response_timeout=_BUILD_S)
    async def of_quarantine(  # pyright: ignore[reportUnusedFunction]
        reason: str | None = None,
    ) -> None:
        await quarantine.build(rooms, None if reason is None else parse_words(reason))

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
    return rooms
