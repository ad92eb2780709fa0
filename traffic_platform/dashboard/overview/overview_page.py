"""The overview: the state of road, detectors and pipeline now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.dashboard.overview.overview_tables import tooltip_lines
from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.state import Change, State
from traffic_platform.dashboard.shared.elements import SensorMap
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, panel, text
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.render import Panel, render

_SHOWN_UNPLACED = 40
_ROW_PX = 76  # height of a road, as in sensor_map.js
_LINES_PX = 480


def register(context: PageContext) -> None:
    """Serve the page at `/`."""

    @ui.page("/", response_timeout=BUILD_S)
    async def overview() -> None:  # pyright: ignore[reportUnusedFunction]  (NiceGUI calls it)
        await context.reader.want(timeout=2.0)
        with frame(context, "/", "Now", "Traffic now"):
            page = _Overview(context)
        follow(context, page.show)


class _Overview:
    """The parts of one open page."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._by = "speed"
        self._maps: list[SensorMap] = []
        panels: dict[str, Panel] = {"stale": Panel(), "figures": Panel()}
        with ui.element("div").classes("grid"):
            with ui.element("div").classes("w8 stack"):
                with panel("", "Sensors", "Newest reading of each sensor") as head:
                    with head:
                        self._add_switch()
                    self._legend = Panel()
                    self._map_box = ui.element("div").classes("stack")
                    self._unplaced = Panel()
                with panel("", "Detectors to check", "From the last hour and the newest diagnosis"):
                    panels["attention"] = Panel()
            with ui.element("div").classes("w4 stack"):
                with panel("", "Newest readings"):
                    panels["feed"] = Panel()
                with panel("", "Slowest now", "Relative to the free-flow speed"):
                    panels["slowest"] = Panel()
                with panel("", "Quarantine", "Rejected messages by reason"):
                    panels["reasons"] = Panel()
        self._panels: Mapping[str, Panel] = panels
        self._draw_sensors()
        self._fill()

    def show(self, change: Change) -> None:
        """Show a change. Marks refer to the list of sensors that the maps were drawn with."""
        shared = self._context.reader.overview
        if shared.layouts is not self._layouts:
            self._draw_sensors()
        elif "marks" in change.parts:
            both = zip(shared.marks, self._marks, strict=True)
            differing = [mark for mark, shown in both if mark is not shown]
            self._marks = list(shared.marks)
            for each in self._maps if differing else ():
                each.show(differing)
        self._fill()

    def _fill(self) -> None:
        html = self._context.reader.overview.html
        for name, each in self._panels.items():
            each.show(html.get(name, ""))
        self._legend.show(html.get(self._by, ""))

    def _add_switch(self) -> None:
        choices = {"speed": "Speed", "health": "Health"}
        toggle = ui.toggle(choices, value=self._by, on_change=self._colour)
        toggle.props('no-caps unelevated padding="4px 12px" aria-label="Colour by"')

    def _colour(self, event: ValueChangeEventArguments[str]) -> None:
        self._by = event.value
        for each in self._maps:
            each.colour_by(self._by)
        self._fill()

    def _draw_sensors(self) -> None:
        """Draw all sensors, at first and when the list of sensors changed."""
        state, shared = self._context.reader.state, self._context.reader.overview
        self._sensors = shared.sensors
        self._layouts = layouts = shared.layouts
        self._marks = list(shared.marks)
        self._map_box.clear()
        self._maps = []
        with self._map_box:
            if layouts.geographic.places:
                self._draw_map("map", schematic=False)
            if layouts.schematic.places:
                rows = len(layouts.schematic.roads)
                height = min(_LINES_PX, _ROW_PX * rows + 48)
                if height < _ROW_PX * rows:
                    hint = f"{rows} roads by milepost. Drag or use the arrow keys to see them all."
                    text("p", hint).classes("sub")
                self._draw_map("lines", schematic=True).style(f"height: {height}px")
            if not self._maps:
                text("p", _nothing_to_draw(state)).classes("empty")
        shown = [self._sensors[index] for index in layouts.unplaced[:_SHOWN_UNPLACED]]
        unplaced = render("overview/unplaced", rows=shown, count=len(layouts.unplaced))
        self._unplaced.show(unplaced)

    def _draw_map(self, kind: str, *, schematic: bool) -> SensorMap:
        settings = self._context.settings
        shared = self._context.reader.overview
        where = "on lines by milepost" if schematic else "on a map"
        drawn = SensorMap(
            shared.encoded[kind],
            shared.marks,
            schematic=schematic,
            by=self._by,
            tiles=settings.map_tiles,
            attribution=settings.map_attribution,
            label=f"Sensors {where}. Move with the arrow keys, zoom with plus and minus."
            " The tables on this page show the same data.",
        )
        if schematic:
            drawn.classes("lines")
        drawn.on_hover(self._describe)
        drawn.on_choose(self._choose)
        self._maps.append(drawn)
        return drawn

    def _describe(self, sensor: int) -> list[str]:
        if not 0 <= sensor < len(self._sensors):
            return []
        state = self._context.reader.state
        return tooltip_lines(state, self._sensors[sensor], datetime.now(UTC))

    def _choose(self, sensor: int) -> None:
        if 0 <= sensor < len(self._sensors):
            ui.navigate.to(f"/sensor/{self._sensors[sensor].sensor_id}")


def _nothing_to_draw(state: State) -> str:
    if not state.sensors:
        return "No sensors yet."
    return "No sensor has coordinates or a milepost. Import them with `traffic sensors import`."
