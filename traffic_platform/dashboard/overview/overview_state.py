"""HTML and marks of the overview, rendered once for all open pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from traffic_platform.dashboard.detectors.attention import attention
from traffic_platform.dashboard.overview import overview_tables as tables
from traffic_platform.dashboard.overview.sensor_layout import Layouts, lay_out
from traffic_platform.dashboard.overview.staleness import notice
from traffic_platform.dashboard.quarantine.reasons import reasons
from traffic_platform.dashboard.reader.marks import Mark, mark
from traffic_platform.dashboard.reader.sensors import Sensor
from traffic_platform.dashboard.reader.state import Change, State
from traffic_platform.dashboard.shared.render import render
from traffic_platform.dashboard.shared.time_format import Zone

_ATTENTION = 8


@dataclass
class OverviewState:
    """HTML by panel, the sensors in order, their layouts (also as JSON by map), and their marks."""

    html: dict[str, str] = field(default_factory=dict[str, str])
    sensors: Sequence[Sensor] = ()
    layouts: Layouts = field(default_factory=Layouts)
    encoded: dict[str, str] = field(default_factory=dict[str, str])
    marks: list[Mark] = field(default_factory=list[Mark])

    def refresh(self, state: State, change: Change) -> bool:
        """Render the changed parts of the state; return whether a mark changed."""
        now = datetime.now(UTC)
        marked = self._mark(state, change, now)
        if state.pipeline is None:
            return marked
        everything = bool(change.parts & {"sensors", "ages"})
        # Ages change every second. The other panels change only with the state.
        counts = tables.count(self.marks)
        html = self.html
        html["figures"] = render("overview/figures", **tables.figures(state, counts, now))
        html["stale"] = render("overview/stale", **notice(state, counts.recent, now))
        if everything or marked:
            html["speed"] = render("overview/legend", entries=tables.speed_legend(counts))
            html["health"] = render("overview/legend", entries=tables.health_legend(counts))
            html["slowest"] = render("overview/slowest", rows=tables.slowest(state, now))
        if everything or "feed" in change.parts:
            html["feed"] = render(
                "overview/feed", rows=tables.feed(state), zone=Zone(state.zone), now=now
            )
        if everything or "health" in change.parts:
            html["attention"] = render("detectors/attention", **attention(state, _ATTENTION))
        if everything or "quarantine" in change.parts:
            html["reasons"] = reasons(state, now)
        return marked

    def _mark(self, state: State, change: Change, now: datetime) -> bool:
        everyone = range(len(state.sensors))
        if "sensors" in change.parts or len(self.marks) != len(state.sensors):
            self.sensors = state.sensors
            self.layouts = lay_out(state.sensors)
            self.encoded = {
                "map": self.layouts.geographic.encode(),
                "lines": self.layouts.schematic.encode(),
            }
            self.marks = [mark(state, index, now) for index in everyone]
            return False  # pages redraw everything
        affected: Iterable[int] = (
            everyone if change.parts & {"ages", "health"} else sorted(change.sensors)
        )
        marked = False
        for index in affected:
            current = mark(state, index, now)
            if current != self.marks[index]:
                self.marks[index] = current
                marked = True
        return marked
