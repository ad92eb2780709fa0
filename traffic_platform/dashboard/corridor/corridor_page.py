"""The speed contour of a corridor: milepost by time of day, speed as colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.overview.sensor_layout import runs_backwards
from traffic_platform.dashboard.shared.chart_panel import ChartPanel
from traffic_platform.dashboard.shared.day_pages import (
    Days,
    ask,
    away,
    link,
    no_data,
    pick_day,
    read_days,
)
from traffic_platform.dashboard.shared.follow_day import follow_day
from traffic_platform.dashboard.shared.frame import frame, text
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/corridor"
BUCKET_MIN = 5
# A sensor stands for the road as far as halfway to the next, but no further than this (miles).
_REACH_MI = 1.0
_TOP_MPH = 70
_HOW_TO_READ = (
    "Speeds are flow-weighted means of 5 minutes over all lanes (mph); traffic moves upwards."
    " Left empty: nothing was seen."
)


@dataclass(frozen=True)
class _Corridor:
    """What is shown: places and 5-minute speeds of one road and direction."""

    days: Days
    corridors: Sequence[Any]
    chosen: Any | None
    places: Sequence[Any]
    cells: Sequence[Any]


async def build(
    context: PageContext, road: str | None, direction: str | None, day: date | None
) -> None:
    """The whole page."""

    async def read(connection: Connection) -> _Corridor:
        return await _read(connection, road, direction, day)

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Corridor")
        return
    with frame(context, PATH, "Corridor", "Speed contour", "Where and when a road is slow"):
        _show(context, found)


async def _read(
    connection: Connection, road: str | None, direction: str | None, day: date | None
) -> _Corridor:
    corridors = await rows(connection, "corridors")
    named = [each for each in corridors if (each.road, each.direction) == (road, direction)]
    # Without a name the one that has the newest data.
    chosen = max(named or corridors, key=lambda each: each.newest or date.min, default=None)
    days = await read_days(connection, day or (chosen and chosen.newest))
    if chosen is None:
        return _Corridor(days, corridors, None, [], [])
    start, end = days.zone.bounds(days.shown)
    which = {"road": chosen.road, "direction": chosen.direction}
    places = await rows(connection, "places", **which)
    cells = await rows(connection, "contour", **which, start=start, end=end)
    return _Corridor(days, corridors, chosen, places, cells)


def _show(context: PageContext, found: _Corridor) -> None:
    if found.chosen is None:
        text("p", "No road has sensors at two mileposts; `traffic sensors import` brings them.")
        return
    days, chosen = found.days, found.chosen
    with ui.element("div").classes("panel"):
        with ui.element("div").classes("controls"):
            _pick_corridor(found)
            pick_day(
                days, lambda to: link(PATH, road=chosen.road, direction=chosen.direction, date=to)
            )
        drawn = ChartPanel("contour", "480px")
        _draw(drawn, found)
        Panel(render("exports", day=days.shown))
    with ui.element("div").classes("panel").style("margin-top: 18px"):
        text("h2", "ConcurrencyLimits")
        places = Panel(_places(found))

    async def read(connection: Connection) -> _Corridor:
        return await _read(connection, chosen.road, chosen.direction, days.shown)

    def show(again: _Corridor) -> None:
        _draw(drawn, again)
        places.show(_places(again))

    follow_day(context, days, (PATH, chosen.road, chosen.direction, days.shown), read, show)


def _draw(drawn: ChartPanel, found: _Corridor) -> None:
    if found.cells:
        drawn.show(_data(found), _label(found), f"{_in_words(found)} {_HOW_TO_READ}")
    else:
        drawn.say_nothing(no_data(found.days, _name(found.chosen)))


def _label(found: _Corridor) -> str:
    return f"Speed contour of {_name(found.chosen)} on {found.days.shown}: {_in_words(found)}"


def _places(found: _Corridor) -> str:
    return render("places", rows=_place_rows(found))


def _pick_corridor(found: _Corridor) -> None:
    names = {at: _name(each) for at, each in enumerate(found.corridors)}

    def choose(event: ValueChangeEventArguments[int]) -> None:
        to = found.corridors[event.value]
        ui.navigate.to(
            link(PATH, road=to.road, direction=to.direction, date=found.days.shown.isoformat())
        )

    at = found.corridors.index(found.chosen)
    ui.select(names, value=at, label="Road and direction", on_change=choose).props("dense outlined")


def _name(corridor: Any) -> str:
    return " ".join(part for part in (corridor.road, corridor.direction) if part)


def _data(found: _Corridor) -> dict[str, Any]:
    """What lib/charts.js draws."""
    days = found.days
    start, _ = days.zone.bounds(days.shown)
    miles = [place.milepost for place in found.places]
    reach = _reaches(miles)
    at = {mile: index for index, mile in enumerate(miles)}
    return {
        "zone": days.zone.name,
        "hours": days.zone.hours(days.shown),
        "width": BUCKET_MIN,
        "first": reach[0][0],
        "last": reach[-1][1],
        "inverse": runs_backwards(found.chosen and found.chosen.direction),
        "top": _TOP_MPH,
        "places": [place.name for place in found.places],
        "cells": [
            [
                round((cell.bucket - start).total_seconds() / 60),
                *reach[at[cell.milepost]],
                round(cell.speed, 1),
                None if cell.flow is None else round(cell.flow),
                at[cell.milepost],
                cell.milepost,
            ]
            for cell in found.cells
            if cell.speed is not None
        ],
    }


def _reaches(miles: Sequence[float]) -> list[tuple[float, float]]:
    """From where to where each place stands for the road."""
    reaches: list[tuple[float, float]] = []
    for at, mile in enumerate(miles):
        below = (mile - miles[at - 1]) / 2 if at else 0.25
        above = (miles[at + 1] - mile) / 2 if at + 1 < len(miles) else 0.25
        reaches.append((mile - min(below, _REACH_MI), mile + min(above, _REACH_MI)))
    return reaches


def _in_words(found: _Corridor) -> str:
    """The slowest place and time."""
    cells = [cell for cell in found.cells if cell.speed is not None]
    if not cells:
        return "No vehicle was seen."
    slowest = min(cells, key=lambda cell: cell.speed)
    name = next(place.name for place in found.places if place.milepost == slowest.milepost)
    clock = found.days.zone.clock(slowest.bucket)[:5]
    return f"Slowest: {slowest.speed:.0f} mph at {clock}, mile {slowest.milepost:g} ({name})."


def _place_rows(found: _Corridor) -> list[dict[str, Any]]:
    lowest: dict[float, float] = {}
    for cell in found.cells:
        if cell.speed is not None:
            lowest[cell.milepost] = min(cell.speed, lowest.get(cell.milepost, cell.speed))
    return [
        {
            "mile": place.milepost,
            "name": place.name,
            "lanes": place.lanes,
            "free_flow": place.free_flow_mph,
            "lowest": lowest.get(place.milepost),
        }
        for place in found.places
    ]
