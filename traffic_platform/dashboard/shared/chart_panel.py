"""A chart with its sentence, drawn again and again; only a sentence while there is nothing."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from traffic_platform.dashboard.shared.elements import Chart
from traffic_platform.dashboard.shared.render import Panel, render


class ChartPanel:
    """A place for a chart of one kind of lib/charts.js."""

    def __init__(self, kind: str, height: str) -> None:
        self._kind, self._height = kind, height
        self._box = ui.element("div")
        self._chart: Chart | None = None
        self._words = Panel()

    def say_nothing(self, sentence: str) -> None:
        """Say why nothing is drawn."""
        self._words.show(render("said", text=sentence, kind="empty"))

    def show(self, data: dict[str, Any], label: str, sentence: str = "") -> None:
        """Draw, or draw anew what is there: a zoom and the focus stay."""
        if self._chart is None:
            with self._box:
                self._chart = Chart(self._kind, data, label=label, height=self._height)
        else:
            self._chart.show(data, label)
        self._words.show(render("said", text=sentence, kind="sub"))
