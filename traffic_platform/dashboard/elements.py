"""The two elements that are drawn in the browser: the map of sensors, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nicegui.elements.echart
import nicegui.elements.leaflet
from nicegui.element import Element

_STATIC = Path(__file__).parent / "static"
# Leaflet and ECharts are those that NiceGUI brings along, so nothing comes from another host.
_LEAFLET = Path(nicegui.elements.leaflet.__file__).parent / "dist"
_ECHARTS = Path(nicegui.elements.echart.__file__).parent / "dist"


class SensorMap(
    Element,
    component=str(_STATIC / "sensor_map.js"),
    esm={"traffic-page": str(_STATIC / "lib"), "nicegui-leaflet": str(_LEAFLET)},
):
    """Sensors on a map or on lines of mileposts.

    `load` draws all, `show` changes some: [sensor, band, health, speed, volume, occupancy, time].
    """

    def __init__(
        self, *, schematic: bool, tiles: str | None, attribution: str, label: str, by: str
    ) -> None:
        """`by`: see `colour_by`. `tiles`: URL template of map tiles; None: none are loaded."""
        super().__init__()
        self.add_resource(_LEAFLET)
        self._props["schematic"] = schematic
        self._props["tiles"] = tiles
        self._props["attribution"] = attribution
        self._props["label"] = label
        self._props["by"] = by
        self._props["scene"] = None

    def load(self, scene: dict[str, Any]) -> None:
        """Draw this, once: `points` and `roads` of a Layout, `labels`, `ids`, `marks` by sensor."""
        self._props["scene"] = scene

    def show(self, marks: Sequence[Sequence[object]]) -> None:
        """Show what these sensors say now."""
        self.run_method("show", marks)

    def colour_by(self, what: str) -> None:
        """'speed' or 'health'."""
        # No update of the element: that would send the scene of its beginning again.
        self.run_method("colourBy", what)


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
