"""One sensor's day: its measures over time, the flow-density scatter, its health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.shared.chart_panel import ChartPanel
from traffic_platform.dashboard.shared.day_pages import (
    Days,
    ask,
    away,
    link,
    no_data,
    parse_words,
    pick_day,
    read_days,
)
from traffic_platform.dashboard.shared.follow_day import follow_day
from traffic_platform.dashboard.shared.frame import frame, panel, text
from traffic_platform.dashboard.shared.model import Reading, place
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows, typed
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/sensor"
_FOUND = 30
_GAP_MIN = 10.0
_GAP_INTERVALS = 3
_DRAWN = 20_000  # readings of a day: one every 4 s


@dataclass(frozen=True)
class _SensorDay:
    """A sensor (None: there is none of this id), the day, its readings and its 5-minute means.

    `readings` are the first of the day, which are drawn; `counts` is of all.
    """

    days: Days
    sensor: Any | None
    readings: Sequence[Reading]
    counts: Any
    means: Sequence[Any]
    summary: Any | None
    newest: datetime | None


async def build_search(context: PageContext, wanted: str) -> None:
    """The page that finds a sensor."""

    async def read(connection: Connection) -> list[Any]:
        return await rows(connection, "find_sensors", text=wanted, limit=_FOUND)

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Sensor")
        return
    with (
        frame(context, PATH, "Sensor", "Find a sensor", "By name, identifier, road or station"),
        ui.element("div").classes("panel"),
    ):
        results: list[Panel] = []

        async def search(event: ValueChangeEventArguments[str | None]) -> None:
            words = parse_words(event.value or "").strip()

            async def again(connection: Connection) -> list[Any]:
                return await rows(connection, "find_sensors", text=words, limit=_FOUND)

            matching = await ask(context, again)
            if matching is not None:
                results[0].show(_results(matching))

        ui.input("Search", value=wanted, on_change=search).props(
            'dense outlined clearable debounce="250" type="search"'
        ).style("max-width: 420px")
        results.append(Panel(_results(found)))


def parse_id(value: str) -> UUID | None:
    """A sensor's UUID in an address; None for what is none."""
    try:
        return UUID(value)
    except ValueError:
        return None


def build_unknown(context: PageContext, name: object) -> None:
    """The page of a sensor that there is not."""
    with frame(context, PATH, "Sensor", "No such sensor"):
        text("p", f"There is no sensor {name}.")
        Panel(render("find"))


async def build(context: PageContext, sensor_id: UUID, day: date | None) -> None:
    """The page of one sensor."""

    async def read(connection: Connection) -> _SensorDay:
        return await _read(connection, sensor_id, day)

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Sensor")
        return
    sensor = found.sensor
    if sensor is None:
        build_unknown(context, sensor_id)
        return
    label = sensor.name or sensor.external_id
    where = place(sensor.road, sensor.direction, sensor.milepost)
    with frame(context, PATH, label, label, where):
        _show(context, found)


async def _read(connection: Connection, sensor_id: UUID, day: date | None) -> _SensorDay:
    sensor = next(iter(await rows(connection, "sensor", sensor_id=sensor_id)), None)
    newest = (await rows(connection, "sensor_newest", sensor_id=sensor_id))[0].newest
    days = await read_days(connection, day)
    if day is None and newest is not None:
        days = Days(days.zone, days.zone.local(newest).date(), days.known)
    start, end = days.zone.bounds(days.shown)
    span = {"sensor_id": sensor_id, "start": start, "end": end}
    readings = await typed(connection, "sensor_day", Reading, **span, most=_DRAWN)
    counts = (await rows(connection, "sensor_day_counts", **span))[0]
    means = await rows(connection, "sensor_5min", **span)
    summary = await rows(connection, "sensor_summary", sensor_id=sensor_id, date=days.shown)
    day_summary = next(iter(summary), None)
    return _SensorDay(days, sensor, readings, counts, means, day_summary, newest)


def _results(found: Sequence[Any]) -> str:
    listed = [
        {
            "id": each.sensor_id,
            "name": each.name or each.external_id,
            "external_id": each.external_id,
            "place": place(each.road, each.direction, each.milepost),
        }
        for each in found
    ]
    return render("found", rows=listed, limit=_FOUND)


def _show(context: PageContext, found: _SensorDay) -> None:
    sensor, days = found.sensor, found.days
    assert sensor is not None
    with ui.element("div").classes("grid"):
        with panel("w12", f"{days.shown}", "Readings in the order of time") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(days, lambda to: link(f"{PATH}/{sensor.sensor_id}", date=to))
            figures = Panel(_figures(found))
            series = ChartPanel("series", "520px")
            Panel(render("exports", day=days.shown))
        with panel("w6", "Flow and density", "5-minute means; density is flow divided by speed"):
            scatter = ChartPanel("scatter", "340px")
        with panel("w6", "This sensor"):
            about = Panel(_about(found))

    def show(again: _SensorDay) -> None:
        figures.show(_figures(again))
        _draw_series(series, again)
        _draw_scatter(scatter, again)
        about.show(_about(again))

    async def read(connection: Connection) -> _SensorDay:
        return await _read(connection, sensor.sensor_id, days.shown)

    _draw_series(series, found)
    _draw_scatter(scatter, found)
    follow_day(context, days, (PATH, sensor.sensor_id, days.shown), read, show)


def _figures(found: _SensorDay) -> str:
    if found.summary is None:
        return ""
    return render("sensor_figures", day=found.summary, flagged=found.counts.flagged)


def _about(found: _SensorDay) -> str:
    return render("sensor", sensor=found.sensor, day=found.summary)


def _draw_series(drawn: ChartPanel, found: _SensorDay) -> None:
    if not found.readings:
        sentence = no_data(found.days, "This sensor")
        if found.newest is not None:
            sentence += f" Its newest reading is of {found.days.zone.moment(found.newest)}."
        drawn.say_nothing(sentence)
        return
    zone, sensor = found.days.zone, found.sensor
    start, _ = zone.bounds(found.days.shown)
    interval = getattr(sensor, "interval_s", None) or 0
    series = [
        [
            round((row.timestamp - start).total_seconds() / 60, 3),
            row.speed,
            row.volume,
            row.occupancy,
            row.failed_tests,
            zone.clock(row.timestamp),
        ]
        for row in found.readings
    ]
    data = {
        "hours": zone.hours(found.days.shown),
        "gap": max(_GAP_MIN, _GAP_INTERVALS * interval / 60),
        "rows": series,
    }
    sentence = (
        f"{_counted(found)} flagged by a quality test (▲)."
        f" Time of day in {zone.name}; a gap in a line is a gap in the readings."
    )
    drawn.show(data, f"Speed, flow and occupancy. {sentence}", sentence)


def _counted(found: _SensorDay) -> str:
    """How many readings there are and are drawn, and how many of all are …"""
    readings, flagged = found.counts.readings, found.counts.flagged
    if readings <= _DRAWN:
        return f"{readings:,} readings, {flagged:,} of them"
    return f"The first {_DRAWN:,} of {readings:,} readings are drawn; {flagged:,} of all are"


def _draw_scatter(drawn: ChartPanel, found: _SensorDay) -> None:
    if not found.means:
        drawn.say_nothing("No 5 minutes with flow and speed on this day.")
        return
    start, _ = found.days.zone.bounds(found.days.shown)
    points = [
        [
            round(row.flow / row.speed, 2),
            round(row.flow),
            round(row.speed, 1),
            round((row.bucket - start).total_seconds() / 60),
        ]
        for row in found.means
    ]
    free_flow = getattr(found.sensor, "free_flow_mph", None)
    data = {
        "rows": points,
        "free_flow": free_flow,
        "hours": found.days.zone.hours(found.days.shown),
    }
    densest = max(point[0] for point in points)
    label = f"Flow against density of {len(points)} 5-minute means, up to {densest:.0f} veh/mi."
    drawn.show(data, label)
