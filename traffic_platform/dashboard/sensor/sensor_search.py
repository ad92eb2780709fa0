"""Search for a sensor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.reader.sensors import place
from traffic_platform.dashboard.shared.address import clean_text
from traffic_platform.dashboard.shared.frame import BUILD_S, frame
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page, run_query
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

_LIMIT = 30


def register_search(context: PageContext, path: str) -> None:
    """Serve the search at `path`."""

    @ui.page(path, response_timeout=BUILD_S)
    async def search(q: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        await _build(context, path, clean_text(q))


async def _build(context: PageContext, path: str, wanted: str) -> None:
    found = await read_page(context, path, "Sensor", partial(_find, wanted=wanted))
    if found is None:
        return
    sub = "By name, identifier, road, station, or the first characters of the UUID"
    with (
        frame(context, path, "Sensor", "Find a sensor", sub),
        ui.element("div").classes("panel"),
    ):

        async def search(event: ValueChangeEventArguments[str | None]) -> None:
            text = clean_text(event.value or "").strip()
            matching = await run_query(context, partial(_find, wanted=text))
            if matching is not None:
                results.show(_results(matching))

        field = ui.input("Search", value=wanted, on_change=search)
        field.props('dense outlined clearable debounce="250" type="search"')
        field.style("max-width: 420px")
        results = Panel(_results(found))


async def _find(connection: Connection, *, wanted: str) -> list[Any]:
    return await rows(connection, "sensor/search", text=wanted, limit=_LIMIT)


def _results(found: Sequence[Any]) -> str:
    return render("sensor/results", rows=found, limit=_LIMIT, place=place)
