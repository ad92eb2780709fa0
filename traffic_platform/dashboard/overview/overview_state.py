"""What every open page of an operator shows, made once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from traffic_platform.dashboard.overview import overview_tables as tables
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.overview.sensor_layout import Layouts, lay_out
from traffic_platform.dashboard.overview.staleness import notice
from traffic_platform.dashboard.shared.model import Change, Sensor, State
from traffic_platform.dashboard.shared.render import render


@dataclass
class OverviewState:
    """HTML by panel; the sensors, where they are drawn (as JSON, by kind), and how each looks."""

    html: dict[str, str] = field(default_factory=dict[str, str])
    sensors: Sequence[Sensor] = ()
    layouts: Layouts = field(default_factory=Layouts)
    encoded: dict[str, str] = field(default_factory=dict[str, str])
    marks: list[Mark] = field(default_factory=list[Mark])

    def refresh(self, state: State, change: Change) -> list[Mark]:
        """Follow the state; the marks that look different from before."""
        now = datetime.now(UTC)
        fresh = self._mark(state, change, now)
        if state.pipeline is None:
            return fresh
        whole = bool(change.parts & {"sensors", "ages"})
        # Ages change with every second, the rest only when something came.
        counts = tables.count(self.marks)
        self._show("figures", **tables.figures(state, counts, now))
        self._show("stale", **notice(state, counts.recent, now))
        if whole or fresh:
            self._show("speed", "legend", entries=tables.speed_legend(counts))
            self._show("health", "legend", entries=tables.health_legend(counts))
            self._show("slowest", rows=tables.slowest(state, now))
        if whole or "feed" in change.parts:
            self._show("feed", rows=tables.feed(state, now))
        if whole or "health" in change.parts:
            self._show("attention", **tables.attention(state))
        if whole or "quarantine" in change.parts:
            self._show("reasons", rows=tables.reasons(state, now))
        return fresh

    def _mark(self, state: State, change: Change, now: datetime) -> list[Mark]:
        everyone = range(len(state.sensors))
        if "sensors" in change.parts or len(self.marks) != len(state.sensors):
            self.sensors = state.sensors
            self.layouts = lay_out(state.sensors)
            self.encoded = {
                "map": self.layouts.geographic.encode(),
                "lines": self.layouts.schematic.encode(),
            }
            self.marks = [tables.mark(state, at, now) for at in everyone]
            return []  # pages draw all anew
        looked_at: Iterable[int] = (
            everyone if change.parts & {"ages", "health"} else sorted(change.sensors)
        )
        fresh: list[Mark] = []
        for at in looked_at:
            mark = tables.mark(state, at, now)
            if mark != self.marks[at]:
                self.marks[at] = mark
                fresh.append(mark)
        return fresh

    def _show(self, panel: str, template: str | None = None, **values: object) -> None:
        self.html[panel] = render(template or panel, **values)
