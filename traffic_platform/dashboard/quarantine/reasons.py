"""Rejected messages by reason."""

from __future__ import annotations

from datetime import datetime

from traffic_platform.dashboard.reader.state import State
from traffic_platform.dashboard.shared.render import render
from traffic_platform.dashboard.shared.time_format import Zone


def reasons(state: State, now: datetime, *, one_chosen: bool = False) -> str:
    """Return the HTML of the table; with `one_chosen` it links to the list of all reasons."""
    zone = Zone(state.zone)
    listed = [
        {"reason": each.reason, "messages": each.messages, "newest": zone.short(each.newest, now)}
        for each in state.quarantine
    ]
    return render("quarantine/reasons", rows=listed, one_chosen=one_chosen)
