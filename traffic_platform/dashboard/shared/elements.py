"""The two elements that the browser draws: the map of sensors, and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nicegui.elements.echart
import nicegui.elements.leaflet
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from traffic_platform.dashboard.reader.marks import Mark

_STATIC = Path(__file__).parents[1] / "static"
# Leaflet and ECharts are those that NiceGUI ships, so the browser contacts no other host.
_LEAFLET = Path(nicegui.elements.leaflet.__file__).parent / "dist"
_ECHARTS = Path(nicegui.elements.echart.__file__).parent / "dist"


class SensorMap(
    Element,
    component=str(_STATIC / "sensor_map.js"),
    esm={"traffic-page": str(_STATIC / "lib"), "nicegui-leaflet": str(_LEAFLET)},
):
    """Sensors on a map or on lines by milepost. lib/palette.js defines the look of a mark."""

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
        """`layout` is JSON of a Layout. `marks` holds all sensors in order. `by`: see colour_by.

        `tiles` is the URL template of map tiles; None loads no tiles.
        """
        super().__init__()
        self.add_resource(_LEAFLET)
        # NiceGUI does not walk through strings, so thousands of sensors stay fast: the layout as
        # JSON, and one digit per sensor for each kind of mark.
        bands, healths = ("".join(str(mark[part]) for mark in marks) for part in (1, 2))
        self._props.update(
            {"layout": layout, "bands": bands, "healths": healths, "schematic": schematic, "by": by}
        )
        self._props.update({"tiles": tiles, "attribution": attribution, "label": label})

    def show(self, marks: Sequence[Mark]) -> None:
        """Redraw the sensors of these marks."""
        self.run_method("show", marks)

    def colour_by(self, kind: str) -> None:
        """Colour all sensors by 'speed' or 'health'."""
        # An update of the element would send the initial scene again.
        self.run_method("colourBy", kind)

    def on_hover(self, describe: Callable[[int], list[str]]) -> None:
        """Show the lines that `describe` returns while the user points at a sensor."""

        def answer(event: GenericEventArguments) -> None:
            sensor = int(event.args)
            self.run_method("answer", sensor, describe(sensor))

        self.on("ask", answer)

    def on_choose(self, handle: Callable[[int], None]) -> None:
        """Call `handle` with a sensor that the user clicks."""
        self.on("choose", lambda event: handle(int(event.args)))


class Chart(
    Element,
    component=str(_STATIC / "chart.js"),
    esm={"traffic-page": str(_STATIC / "lib"), "nicegui-echart": str(_ECHARTS)},
):
    """A chart of one of the kinds of lib/charts.js, with its data."""

    def __init__(self, kind: str, data: dict[str, Any], *, label: str, height: str) -> None:
        """`label` describes the chart for screen readers. `height` is a CSS length."""
        super().__init__()
        self._props.update({"kind": kind, "data": data, "label": label})
        self.style(f"height: {height}; width: 100%")

    def show(self, data: dict[str, Any], label: str) -> None:
        """Draw other data of the same kind. The zoom stays."""
        self._props.update({"data": data, "label": label})
