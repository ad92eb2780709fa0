"""Notices for times without new readings: a paused feed, or a loaded history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from traffic_platform.dashboard.reader.state import RECENT_S, State
from traffic_platform.dashboard.shared.time_format import Zone, age, is_long

# After this time the data is a history, and the notice links to its last day.
_HISTORY_S = 24 * 3600


def is_stale(recent: int, seconds: float) -> bool:
    """Whether no sensor has a recent reading. `seconds`: age of the newest reading of all."""
    return seconds > RECENT_S and recent == 0


def notice(state: State, recent: int, now: datetime) -> dict[str, Any]:
    """Return `text` (None while readings arrive), and for a history the `day` to show.

    `contour` tells whether sensors with mileposts exist, which a speed contour needs.
    """
    none: dict[str, Any] = {"text": None, "day": None, "contour": False}
    if state.pipeline is None:
        return none
    newest = state.latest
    if newest is None:
        return none | {"text": "No readings yet. This page updates by itself."}
    seconds = (now - newest.timestamp).total_seconds()
    if not is_stale(recent, seconds):
        return none
    zone = Zone(state.zone)
    when = zone.date_time(newest.timestamp)
    if seconds > _HISTORY_S:
        return {
            "text": f"The newest reading is from {when}.",
            "day": zone.local(newest.timestamp).date(),
            "contour": any(each.road and each.milepost is not None for each in state.sensors),
        }
    text = f"No reading in the last 5 minutes. The newest is from {when} ({age(seconds)} ago)."
    return none | {"text": text}


def newest_note(seconds: float, stale: bool) -> str:
    """Return the note below the time of the newest reading."""
    if not stale:
        return f"{age(seconds)} ago"
    return "nothing newer" if seconds > _HISTORY_S else "no reading in the last 5 minutes"


def commit_note(seconds: float) -> str:
    """Return the note below the time of the last commit."""
    return "nothing stored since" if is_long(seconds) else f"{age(seconds)} ago"
