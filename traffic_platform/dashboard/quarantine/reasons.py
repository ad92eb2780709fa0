"""Rejected messages by reason."""

from __future__ import annotations

from datetime import datetime

from traffic_platform.dashboard.reader.state import State
from traffic_platform.dashboard.shared.render import render
from traffic_platform.dashboard.shared.time_format import Zone


def reasons(state: State, now: datetime, *, one_chosen: bool = False) -> str:
    """Return the HTML of the table; with `one_chosen` it links to the list of all reasons."""
    rows, zone = state.quarantine, Zone(state.zone)
    return render("quarantine/reasons", rows=rows, zone=zone, now=now, one_chosen=one_chosen)
