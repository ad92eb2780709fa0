"""Detectors with faults: now, and by the diagnosis of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.detectors.attention import attention
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.sensors import place
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.dashboard.shared.address import link
from traffic_platform.dashboard.shared.days import Days, pick_day, read_days, show_day
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, panel
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/detectors"
_LISTED = 300


@dataclass(frozen=True)
class _Diagnosed:
    days: Days
    detectors: Sequence[Any]
    counts: Sequence[Any]


def register(context: PageContext) -> None:
    """Serve the page."""

    @ui.page(PATH, response_timeout=BUILD_S)
    async def detectors(date: str | None = None) -> None:  # pyright: ignore[reportUnusedFunction]
        await show_day(context, PATH, date, partial(_build, context))


async def _build(context: PageContext, day: date | None) -> None:
    found = await read_page(context, PATH, "Detectors", partial(_read, day=day))
    if found is None:
        return
    sub = "Faulty detectors and the observations behind each diagnosis"
    with (
        frame(context, PATH, "Detectors", "Detector health", sub),
        ui.element("div").classes("grid"),
    ):
        with panel("w6", "Now", "From readings of the last hour"):
            now = Panel(_now(context))
        title = f"Diagnosis of {found.days.shown}"
        with panel("w6", title, "From readings between 05:00 and 21:59") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(found.days, lambda to: link(PATH, date=to))
            Panel(_diagnosed(found))

    def show(change: Change) -> None:
        if change.parts & {"health", "sensors"}:
            now.show(_now(context))

    follow(context, show)


async def _read(connection: Connection, *, day: date | None) -> _Diagnosed:
    newest = (await rows(connection, "detectors/newest_date"))[0].newest
    days = await read_days(connection, day or newest)
    return _Diagnosed(
        days,
        await rows(connection, "detectors/diagnosed", date=days.shown),
        await rows(connection, "day/diagnoses", date=days.shown),
    )


def _now(context: PageContext) -> str:
    return render("detectors/attention", **attention(context.reader.state, _LISTED))


def _diagnosed(found: _Diagnosed) -> str:
    if not found.counts:
        return undiagnosed(found.days)
    counts = {row.diagnosis: row.sensors for row in found.counts}
    listed, day = found.detectors, found.days.shown
    return render("detectors/diagnosed", rows=listed, counts=counts, day=day, place=place)
