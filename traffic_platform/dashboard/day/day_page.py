"""One date: roads, detector health, ingest runs, and the files to download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
from traffic_platform.dashboard.shared.address import link
from traffic_platform.dashboard.shared.days import Days, no_data, pick_day, read_days, show_day
from traffic_platform.dashboard.shared.follow_day import follow_day
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, panel
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/day"


@dataclass(frozen=True)
class _Day:
    days: Days
    roads: Sequence[Any]
    diagnoses: Sequence[Any]
    runs: Sequence[Any]


def register(context: PageContext) -> None:
    """Serve the page."""

    @ui.page(PATH, response_timeout=BUILD_S)
    async def day(date: str | None = None) -> None:  # pyright: ignore[reportUnusedFunction]
        await show_day(context, PATH, date, partial(_build, context))


async def _build(context: PageContext, day: date | None) -> None:
    found = await read_page(context, PATH, "Day", partial(_read, day=day))
    if found is None:
        return
    shown = found.days.shown
    with frame(context, PATH, f"Day {shown}", f"{shown:%A, %Y-%m-%d}"):
        _show(context, found)


async def _read(connection: Connection, *, day: date | None) -> _Day:
    days = await read_days(connection, day)
    return _Day(
        days,
        await rows(connection, "day/roads", date=days.shown),
        await rows(connection, "day/diagnoses", date=days.shown),
        await rows(connection, "day/runs", date=days.shown),
    )


def _show(context: PageContext, found: _Day) -> None:
    days = found.days
    with ui.element("div").classes("grid"):
        with panel("w12", "Roads", "Totals over all sensors of a direction") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(days, lambda to: link(PATH, date=to))
            roads = Panel()
        with panel("w4", "Detector health", "From readings between 05:00 and 21:59"):
            diagnoses = Panel()
        with panel("w8", "Ingest runs", f"Newest first. Times in {days.zone.name}."):
            runs = Panel()

    def show(found: _Day) -> None:
        roads.show(_roads(found))
        table = render("day/diagnoses", rows=found.diagnoses, day=days.shown)
        diagnoses.show(table if found.diagnoses else undiagnosed(days))
        dagster = context.dagster_url
        runs.show(render("day/runs", rows=found.runs, zone=days.zone, dagster=dagster))

    show(found)
    follow_day(context, days, (PATH, days.shown), partial(_read, day=days.shown), show)


def _roads(found: _Day) -> str:
    day = found.days.shown
    if not found.roads:
        return render("shared/sentence", text=no_data(found.days, "The platform"), kind="empty")
    table = render("day/roads", rows=found.roads, day=day, link=link)
    return table + render("shared/exports", day=day, day_link=False)
