"""The speed contour of a corridor: milepost by time of day, with speed as colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.corridor.contour import contour_data, lowest_speeds, slowest_cell
from traffic_platform.dashboard.shared.address import link
from traffic_platform.dashboard.shared.chart_panel import ChartPanel
from traffic_platform.dashboard.shared.days import Days, no_data, pick_day, read_days, show_day
from traffic_platform.dashboard.shared.follow_day import follow_day
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, text
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/corridor"
_CAPTION = (
    "Flow-weighted mean speeds of 5 minutes over all lanes, in mph. Traffic moves upwards."
    " Gaps have no speed."
)


@dataclass(frozen=True)
class _Corridor:
    """Mileposts (`places`) and 5-minute speeds (`cells`) of one direction of a road on one day."""

    days: Days
    corridors: Sequence[Any]
    chosen: Any | None
    places: Sequence[Any]
    cells: Sequence[Any]


def register(context: PageContext) -> None:
    """Serve the page."""

    @ui.page(PATH, response_timeout=BUILD_S)
    async def corridor(  # pyright: ignore[reportUnusedFunction]
        road: str | None = None, direction: str | None = None, date: str | None = None
    ) -> None:
        build = partial(_build, context, road, direction)
        without = link(PATH, road=road, direction=direction)
        await show_day(context, PATH, date, build, without=without)


async def _build(
    context: PageContext, road: str | None, direction: str | None, day: date | None
) -> None:
    query = partial(_read, road=road, direction=direction, day=day)
    found = await read_page(context, PATH, "Corridor", query)
    if found is None:
        return
    sub = "Speed by milepost and time of day"
    with frame(context, PATH, "Corridor", "Speed contour", sub):
        _show(context, found)


async def _read(
    connection: Connection, *, road: str | None, direction: str | None, day: date | None
) -> _Corridor:
    corridors = await rows(connection, "corridor/corridors")
    named = [each for each in corridors if (each.road, each.direction) == (road, direction)]
    # Without a name: the corridor with the newest data.
    chosen = max(named or corridors, key=lambda each: each.newest or date.min, default=None)
    days = await read_days(connection, day or (chosen and chosen.newest))
    if chosen is None:
        return _Corridor(days, corridors, None, [], [])
    start, end = days.zone.bounds(days.shown)
    key = {"road": chosen.road, "direction": chosen.direction}
    places = await rows(connection, "corridor/places", **key, at=end)
    cells = await rows(connection, "corridor/contour", **key, start=start, end=end)
    return _Corridor(days, corridors, chosen, places, cells)


def _show(context: PageContext, found: _Corridor) -> None:
    if found.chosen is None:
        text(
            "p",
            "No road has sensors at two or more mileposts. Import them with"
            " `traffic sensors import`.",
        )
        return
    days = found.days
    key = {"road": found.chosen.road, "direction": found.chosen.direction}
    with ui.element("div").classes("panel"):
        with ui.element("div").classes("controls"):
            _pick_corridor(found)
            pick_day(days, lambda to: link(PATH, **key, date=to))
        chart = ChartPanel("contour", "480px")
        _draw(chart, found)
        Panel(render("shared/exports", day=days.shown, day_link=True))
    with ui.element("div").classes("panel").style("margin-top: 18px"):
        text("h2", "Places")
        places = Panel(_places(found))

    def show(again: _Corridor) -> None:
        _draw(chart, again)
        places.show(_places(again))

    query = partial(_read, **key, day=days.shown)
    follow_day(context, days, (PATH, *key.values(), days.shown), query, show)


def _pick_corridor(found: _Corridor) -> None:
    names = {index: _name(each) for index, each in enumerate(found.corridors)}

    def choose(event: ValueChangeEventArguments[int]) -> None:
        to = found.corridors[event.value]
        ui.navigate.to(
            link(PATH, road=to.road, direction=to.direction, date=found.days.shown.isoformat())
        )

    chosen = found.corridors.index(found.chosen)
    select = ui.select(names, value=chosen, label="Road and direction", on_change=choose)
    select.props("dense outlined")


def _name(corridor: Any) -> str:
    return " ".join(part for part in (corridor.road, corridor.direction) if part)


def _draw(chart: ChartPanel, found: _Corridor) -> None:
    chosen, days = found.chosen, found.days
    if not found.cells:
        chart.show_empty(no_data(days, _name(chosen)))
        return
    slowest = _slowest(found)
    data = contour_data(
        days.zone, days.shown, chosen and chosen.direction, found.places, found.cells
    )
    label = f"Speed contour of {_name(chosen)} on {days.shown}: {slowest}"
    chart.show(data, label, f"{slowest} {_CAPTION}")


def _slowest(found: _Corridor) -> str:
    """Return a sentence about the slowest place and time."""
    cell = slowest_cell(found.cells)
    if cell is None:
        return "No vehicles were measured."
    name = next(place.name for place in found.places if place.milepost == cell.milepost)
    clock = found.days.zone.clock(cell.bucket)[:5]
    return f"Slowest: {cell.speed:.0f} mph at {clock}, mile {cell.milepost:g} ({name})."


def _places(found: _Corridor) -> str:
    return render("corridor/places", rows=found.places, lowest=lowest_speeds(found.cells))
