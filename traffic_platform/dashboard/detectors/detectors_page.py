"""Which detectors are broken: now, and by the diagnosis of a day, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
from traffic_platform.dashboard.overview import overview_tables as tables
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.day_pages import Days, ask, away, link, pick_day, read_days
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.frame import frame, panel
from traffic_platform.dashboard.shared.model import Change, place
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/detectors"
_LISTED = 300


@dataclass(frozen=True)
class _Diagnosed:
    days: Days
    detectors: Sequence[Any]
    counts: Sequence[Any]


async def build(context: PageContext, day: date | None) -> None:
    """The whole page."""

    async def read(connection: Connection) -> _Diagnosed:
        newest = (await rows(connection, "diagnosed_dates"))[0].newest
        days = await read_days(connection, day or newest)
        which = {"date": days.shown}
        return _Diagnosed(
            days,
            await rows(connection, "diagnosed", **which),
            await rows(connection, "day_diagnoses", **which),
        )

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Detectors")
        return
    with (
        frame(context, PATH, "Detectors", "Detector health", "What is broken, and how it shows"),
        ui.element("div").classes("grid"),
    ):
        with panel("w6", "Now", "By the readings of the last hour"):
            now = Panel(_now(context))
        with panel("w6", f"Diagnosis of {found.days.shown}", "Judged from 05:00 to 21:59") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(found.days, lambda to: link(PATH, date=to))
            Panel(_diagnosed(found))

    def show(change: Change, _fresh: Sequence[Mark]) -> None:
        if change.parts & {"health", "sensors"}:
            now.show(_now(context))

    follow(context, show)


def _now(context: PageContext) -> str:
    return render("attention", **tables.attention(context.reader.state, _LISTED))


def _diagnosed(found: _Diagnosed) -> str:
    if not found.counts:
        return undiagnosed(found.days)
    listed = [
        {
            "sensor_id": row.sensor_id,
            "name": row.sensor_name or row.external_id,
            "place": f"{place(row.road, row.direction, row.milepost)} · {row.external_id}",
            "diagnosis": row.diagnosis,
            "seen": row.seen,
            "field": row.field,
            "since": row.since,
        }
        for row in found.detectors
    ]
    judged = {row.diagnosis: row.sensors for row in found.counts}
    return render("diagnosed", rows=listed, judged=judged, day=found.days.shown)
