"""The page of an operator: what the road, the detectors and the pipeline do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.dashboard.overview import overview_tables as tables
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.elements import SensorMap
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.frame import frame, panel, text
from traffic_platform.dashboard.shared.model import EVERYTHING, Change, State
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.render import Panel, render

_SHOWN_UNPLACED = 40
_ROW_PX = 76  # of a road, as in sensor_map.js
_LINES_PX = 480


async def build(context: PageContext) -> None:
    """The whole page; it follows the reader until it is closed."""
    await context.reader.want(timeout=2.0)
    with frame(context, "/", "Now", "Traffic now"):
        page = _Overview(context)
    follow(context, page.show)


class _Overview:
    """The parts of one open page."""

    def __init__(self, context: PageContext) -> None:
        self._rooms = context
        self._by = "speed"
        self._maps: list[SensorMap] = []
        panels: dict[str, Panel] = {"stale": Panel(), "figures": Panel()}
        with ui.element("div").classes("grid"):
            with ui.element("div").classes("w8 stack"):
                with panel("", "Sensors", "Each by its newest reading") as head:
                    with head:
                        self._add_switch()
                    self._legend = Panel()
                    self._map_box = ui.element("div").classes("stack")
                    self._unplaced = Panel()
                with panel("", "Detectors to look at", "By the last hour and the newest diagnosis"):
                    panels["attention"] = Panel()
            with ui.element("div").classes("w4 stack"):
                with panel("", "Newest readings"):
                    panels["feed"] = Panel()
                with panel("", "Slowest now", "Share of the free-flow speed"):
                    panels["slowest"] = Panel()
                with panel("", "Quarantine", "Messages that are no event, by reason"):
                    panels["reasons"] = Panel()
        self._panels: Mapping[str, Panel] = panels
        self._draw_sensors()
        self._fill()

    def show(self, change: Change, fresh: Sequence[Mark]) -> None:
        """Show what is new. Marks go by the order of the list that the maps were drawn with."""
        screen = self._rooms.reader.screen
        if screen.layouts is not self._layouts:
            self._draw_sensors()
        elif fresh or change is EVERYTHING:
            both = zip(screen.marks, self._marks, strict=True)
            differing = [mark for mark, shown in both if mark is not shown]
            self._marks = list(screen.marks)
            for each in self._maps if differing else ():
                each.show(differing)
        self._fill()

    def _fill(self) -> None:
        html = self._rooms.reader.screen.html
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
        """All sensors anew, at the start and when there are others than before."""
        state, screen = self._rooms.reader.state, self._rooms.reader.screen
        self._sensors = screen.sensors
        self._layouts = layouts = screen.layouts
        self._marks = list(screen.marks)
        self._map_box.clear()
        self._maps = []
        with self._map_box:
            if layouts.geographic.places:
                self._draw_map("map", schematic=False)
            if layouts.schematic.places:
                rows = len(layouts.schematic.roads)
                height = min(_LINES_PX, _ROW_PX * rows + 48)
                if height < _ROW_PX * rows:
                    text("p", f"{rows} roads by milepost: drag, or use the arrow keys.").classes(
                        "sub"
                    )
                self._draw_map("lines", schematic=True).style(f"height: {height}px")
            if not self._maps:
                text("p", _nothing_to_draw(state)).classes("empty")
        shown = [self._sensors[at] for at in layouts.unplaced[:_SHOWN_UNPLACED]]
        self._unplaced.show(render("unplaced", rows=shown, count=len(layouts.unplaced)))

    def _draw_map(self, kind: str, *, schematic: bool) -> SensorMap:
        settings = self._rooms.settings
        what = "on lines by milepost" if schematic else "on a map"
        drawn = SensorMap(
            self._rooms.reader.screen.encoded[kind],
            self._rooms.reader.screen.marks,
            schematic=schematic,
            by=self._by,
            tiles=settings.map_tiles,
            attribution=settings.map_attribution,
            label=f"Sensors {what}. Arrow keys move, plus and minus zoom;"
            " the tables on this page say the same in words.",
        )
        if schematic:
            drawn.classes("lines")
        drawn.on_ask(self._words)
        drawn.on_choose(self._choose)
        self._maps.append(drawn)
        return drawn

    def _words(self, sensor: int) -> list[str]:
        if not 0 <= sensor < len(self._sensors):
            return []
        state = self._rooms.reader.state
        return tables.sensor_words(state, self._sensors[sensor], datetime.now(UTC))

    def _choose(self, sensor: int) -> None:
        if 0 <= sensor < len(self._sensors):
            ui.navigate.to(f"/sensor/{self._sensors[sensor].sensor_id}")


def _nothing_to_draw(state: State) -> str:
    if not state.sensors:
        return "No sensor is known yet."
    return "No sensor has coordinates or a milepost; `traffic sensors import` brings them."
