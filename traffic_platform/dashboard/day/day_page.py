"""A day as a whole: roads, health, the runs that brought it, and the files to take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
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
from traffic_platform.dashboard.shared.frame import frame, panel
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/day"


@dataclass(frozen=True)
class _Day:
    days: Days
    roads: Sequence[Any]
    diagnoses: Sequence[Any]
    runs: Sequence[Any]


async def build(context: PageContext, day: date | None) -> None:
    """The whole page."""

    async def read(connection: Connection) -> _Day:
        return await _read(connection, day)

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Day")
        return
    with frame(context, PATH, f"Day {found.days.shown}", f"{found.days.shown:%A, %Y-%m-%d}"):
        _show(context, found)


async def _read(connection: Connection, day: date | None) -> _Day:
    days = await read_days(connection, day)
    which = {"date": days.shown}
    return _Day(
        days,
        await rows(connection, "day_roads", **which),
        await rows(connection, "day_diagnoses", **which),
        await rows(connection, "day_runs", **which),
    )


def _show(context: PageContext, found: _Day) -> None:
    days = found.days
    with ui.element("div").classes("grid"):
        with panel("w12", "Roads", "Sums over all sensors of a direction") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(days, lambda to: link(PATH, date=to))
            roads = Panel()
        with panel("w4", "Detector health", "Judged from 05:00 to 21:59"):
            diagnoses = Panel()
        with panel("w8", "Runs that brought it", f"Newest first; times in {days.zone.name}"):
            runs = Panel()

    def show(found: _Day) -> None:
        roads.show(_roads(found))
        judged = render("diagnoses", rows=found.diagnoses, day=days.shown)
        diagnoses.show(judged if found.diagnoses else undiagnosed(days))
        runs.show(render("runs", rows=_runs(found), dagster=context.dagster_url))

    async def read(connection: Connection) -> _Day:
        return await _read(connection, days.shown)

    show(found)
    follow_day(context, days, (PATH, days.shown), read, show)


def _roads(found: _Day) -> str:
    if not found.roads:
        return render("said", text=no_data(found.days, "This platform"), kind="empty")
    day = found.days.shown
    return render("roads", rows=found.roads, day=day, link=link) + render("files", day=day)


def _runs(found: _Day) -> list[dict[str, Any]]:
    zone = found.days.zone
    return [
        {
            "run_id": run.run_id,
            "messages": run.messages,
            "events": run.events,
            "shared": run.shared,
            "first": zone.moment(run.first),
            "last": zone.moment(run.last),
        }
        for run in found.runs
    ]
