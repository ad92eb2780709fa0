"""A chart with a caption, or a sentence while there is no data."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from traffic_platform.dashboard.shared.elements import Chart
from traffic_platform.dashboard.shared.render import Panel, render


class ChartPanel:
    """A panel for one chart. `kind` is a function of lib/charts.js; `height` is a CSS length."""

    def __init__(self, kind: str, height: str) -> None:
        self._kind, self._height = kind, height
        self._box = ui.element("div")
        self._chart: Chart | None = None
        self._caption = Panel()

    def show_empty(self, sentence: str) -> None:
        """Say why there is no chart."""
        self._caption.show(render("shared/sentence", text=sentence, kind="empty"))

    def show(self, data: dict[str, Any], label: str, caption: str = "") -> None:
        """Draw the data. An existing chart keeps its zoom and focus."""
        if self._chart is None:
            with self._box:
                self._chart = Chart(self._kind, data, label=label, height=self._height)
        else:
            self._chart.show(data, label)
        self._caption.show(render("shared/sentence", text=caption, kind="sub"))
