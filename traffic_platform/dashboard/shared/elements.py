"""The two elements that are drawn in the browser: the map of sensors, and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nicegui.elements.echart
import nicegui.elements.leaflet
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from traffic_platform.dashboard.overview.overview_tables import Mark

_STATIC = Path(__file__).parents[1] / "static"
# Leaflet and ECharts are those that NiceGUI brings along, so nothing comes from another host.
_LEAFLET = Path(nicegui.elements.leaflet.__file__).parent / "dist"
_ECHARTS = Path(nicegui.elements.echart.__file__).parent / "dist"


class SensorMap(
    Element,
    component=str(_STATIC / "sensor_map.js"),
    esm={"traffic-page": str(_STATIC / "lib"), "nicegui-leaflet": str(_LEAFLET)},
):
    """Sensors on a map or on lines of mileposts. What a mark means is in lib/palette.js."""

    def __init__(
        self,
        layout: str,
        marks: Sequence[Mark],
        *,
        schematic: bool,
        by: str,
        tiles: str | None,
        attribution: str,
        label: str,
    ) -> None:
        """`layout` is encoded; `marks` of all sensors in their order; `by`: see colour_by.

        `tiles`: URL template of map tiles; None: none are loaded.
        """
        super().__init__()
        self.add_resource(_LEAFLET)
        # Thousands of sensors open with the page, so they are texts, which NiceGUI does not look
        # into: the layout, and a figure a sensor.
        bands, healths = ("".join(str(mark[part]) for mark in marks) for part in (1, 2))
        self._props["layout"] = layout
        self._props["bands"] = bands
        self._props["healths"] = healths
        self._props["schematic"] = schematic
        self._props["by"] = by
        self._props["tiles"] = tiles
        self._props["attribution"] = attribution
        self._props["label"] = label

    def show(self, marks: Sequence[Mark]) -> None:
        """These sensors look different now."""
        self.run_method("show", marks)

    def colour_by(self, what: str) -> None:
        """'speed' or 'health'."""
        # No update of the element: that would send the scene of its beginning again.
        self.run_method("colourBy", what)

    def on_ask(self, words: Callable[[int], list[str]]) -> None:
        """`words` says what is to be told of a sensor that somebody points at."""

        def answer(event: GenericEventArguments) -> None:
            sensor = int(event.args)
            self.run_method("answer", sensor, words(sensor))

        self.on("ask", answer)

    def on_choose(self, handle: Callable[[int], None]) -> None:
        """`handle` a sensor that somebody clicked."""
        self.on("choose", lambda event: handle(int(event.args)))


class Chart(
    Element,
    component=str(_STATIC / "chart.js"),
    esm={"traffic-page": str(_STATIC / "lib"), "nicegui-echart": str(_ECHARTS)},
):
    """A chart of one of the kinds of lib/charts.js, with its data."""

    def __init__(self, kind: str, data: dict[str, Any], *, label: str, height: str) -> None:
        """`label` says in words what is seen, for those who do not see it."""
        super().__init__()
        self._props["kind"] = kind
        self._props["data"] = data
        self._props["label"] = label
        self.style(f"height: {height}; width: 100%")

    def show(self, data: dict[str, Any], label: str) -> None:
        """Draw other data of the same kind; a zoom stays."""
        self._props["data"] = data
        self._props["label"] = label
        self.update()
