"""One sensor on one day: its measures over time, flow against density, and its health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.reader.sensors import Reading, place
from traffic_platform.dashboard.sensor import sensor_charts
from traffic_platform.dashboard.sensor.sensor_search import register_search
from traffic_platform.dashboard.shared.address import clean_text, link
from traffic_platform.dashboard.shared.chart_panel import ChartPanel
from traffic_platform.dashboard.shared.days import Days, no_data, pick_day, read_days, show_day
from traffic_platform.dashboard.shared.follow_day import follow_day
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, panel
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page
from traffic_platform.dashboard.shared.queries import rows, typed
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/sensor"
_DRAWN = 20_000  # readings of a day: one every 4 s


@dataclass(frozen=True)
class _SensorDay:
    """A sensor (None: unknown), its readings on a day, and its 5-minute means.

    `readings` holds the first _DRAWN readings; `counts` counts all.
    """

    days: Days
    sensor: Any | None
    readings: Sequence[Reading]
    counts: Any
    means: Sequence[Any]
    summary: Any | None
    newest: datetime | None


def register(context: PageContext) -> None:
    """Serve the page of a sensor, and the search for one."""
    register_search(context, PATH)

    @ui.page(PATH + "/{name}", response_timeout=BUILD_S)
    async def sensor(  # pyright: ignore[reportUnusedFunction]
        name: str, date: str | None = None
    ) -> None:
        try:
            sensor_id = UUID(name)
        except ValueError:
            _show_unknown(context, clean_text(name))
            return
        build = partial(_build, context, sensor_id)
        await show_day(context, PATH, date, build, without=f"{PATH}/{sensor_id}")


def _show_unknown(context: PageContext, name: object) -> None:
    with frame(context, PATH, "Sensor", "Unknown sensor"):
        Panel(render("sensor/unknown", name=name))


async def _build(context: PageContext, sensor_id: UUID, day: date | None) -> None:
    query = partial(_read, sensor_id=sensor_id, day=day)
    found = await read_page(context, PATH, "Sensor", query)
    if found is None:
        return
    sensor = found.sensor
    if sensor is None:
        _show_unknown(context, sensor_id)
        return
    label = sensor.name or sensor.external_id
    where = place(sensor.road, sensor.direction, sensor.milepost)
    with frame(context, PATH, label, label, where):
        _show(context, found)


async def _read(connection: Connection, *, sensor_id: UUID, day: date | None) -> _SensorDay:
    newest = (await rows(connection, "sensor/newest", sensor_id=sensor_id))[0].newest
    days = await read_days(connection, day)
    if day is None and newest is not None:
        days = Days(days.zone, days.zone.local(newest).date(), days.known)
    start, end = days.zone.bounds(days.shown)
    facts = await rows(connection, "sensor/facts", sensor_id=sensor_id, at=end)
    sensor = next(iter(facts), None)
    span = {"sensor_id": sensor_id, "start": start, "end": end}
    readings = await typed(connection, "sensor/readings", Reading, **span, most=_DRAWN)
    counts = (await rows(connection, "sensor/reading_counts", **span))[0]
    means = await rows(connection, "sensor/five_minutes", **span)
    summary = await rows(connection, "sensor/day_summary", sensor_id=sensor_id, date=days.shown)
    day_summary = next(iter(summary), None)
    return _SensorDay(days, sensor, readings, counts, means, day_summary, newest)


def _show(context: PageContext, found: _SensorDay) -> None:
    sensor, days = found.sensor, found.days
    assert sensor is not None
    with ui.element("div").classes("grid"):
        with panel("w12", f"{days.shown}", "Readings by time of day") as head:
            with head, ui.element("div").classes("controls"):
                pick_day(days, lambda to: link(f"{PATH}/{sensor.sensor_id}", date=to))
            figures = Panel()
            series = ChartPanel("series", "520px")
            Panel(render("shared/exports", day=days.shown, day_link=True))
        sub = "5-minute means. Density is flow divided by speed."
        with panel("w6", "Flow and density", sub):
            scatter = ChartPanel("scatter", "340px")
        with panel("w6", "About this sensor"):
            facts = Panel()

    def show(found: _SensorDay) -> None:
        figures.show(_figures(found))
        _draw_series(series, found)
        _draw_scatter(scatter, found)
        facts.show(
            render("sensor/facts", sensor=found.sensor, day=found.summary, since=_since(found))
        )

    show(found)
    query = partial(_read, sensor_id=sensor.sensor_id, day=days.shown)
    follow_day(context, days, (PATH, sensor.sensor_id, days.shown), query, show)


def _since(found: _SensorDay) -> str | None:
    """Return the local time since which the sensor's values apply, None for the beginning."""
    begin = getattr(found.sensor, "valid_from", None)
    return None if begin is None else found.days.zone.date_time(begin)


def _figures(found: _SensorDay) -> str:
    if found.summary is None:
        return ""
    return render("sensor/figures", day=found.summary, flagged=found.counts.flagged)


def _draw_series(chart: ChartPanel, found: _SensorDay) -> None:
    days = found.days
    if not found.readings:
        sentence = no_data(days, "This sensor")
        if found.newest is not None:
            sentence += f" Its newest reading is from {days.zone.date_time(found.newest)}."
        chart.show_empty(sentence)
        return
    interval_s = getattr(found.sensor, "interval_s", None)
    data = sensor_charts.series_data(days.zone, days.shown, interval_s, found.readings)
    caption = (
        f"{_counted(found)} failed a quality test (▲)."
        f" Times in {days.zone.name}. Gaps in a line have no readings."
    )
    chart.show(data, f"Speed, flow and occupancy. {caption}", caption)


def _counted(found: _SensorDay) -> str:
    """Return the number of readings, and the start of a sentence about the flagged ones."""
    readings, flagged = found.counts.readings, found.counts.flagged
    if readings <= _DRAWN:
        return f"{readings:,} readings. {flagged:,} of them"
    return f"The chart shows the first {_DRAWN:,} of {readings:,} readings. {flagged:,} of all"


def _draw_scatter(chart: ChartPanel, found: _SensorDay) -> None:
    if not found.means:
        chart.show_empty("No 5 minutes of this day have both flow and speed.")
        return
    free_flow = getattr(found.sensor, "free_flow_mph", None)
    data = sensor_charts.scatter_data(found.days.zone, found.days.shown, free_flow, found.means)
    densest = max(row[0] for row in data["rows"])
    label = (
        f"Flow against density of {len(found.means)} 5-minute means, up to {densest:.0f} veh/mi."
    )
    chart.show(data, label)
