"""What is said while no reading arrives: a feed that has paused, or a history without one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from traffic_platform.dashboard.shared.model import RECENT_S, State
from traffic_platform.dashboard.shared.time_format import Zone, age, is_long

# Later than this nobody waits for the next reading: there is a day to look at instead.
_HISTORY_S = 24 * 3600


def is_stale(recent: int, seconds: float) -> bool:
    """Whether nothing new arrives: for 5 minutes, and from slower sensors for 3 intervals.

    `recent` sensors have a recent reading; the newest of all is of so many seconds ago.
    """
    return seconds > RECENT_S and recent == 0


def notice(state: State, recent: int, now: datetime) -> dict[str, Any]:
    """A sentence (`text`; None while readings arrive), and for a history the `day` to look at.

    `contour`: whether there are sensors along a road, for a speed contour of that day.
    """
    said: dict[str, Any] = {"text": None, "day": None, "contour": False}
    if state.pipeline is None:
        return said
    newest = state.latest
    if newest is None:
        return said | {
            "text": "No reading has arrived yet. The page shows the first one by itself."
        }
    seconds = (now - newest.timestamp).total_seconds()
    if not is_stale(recent, seconds):
        return said
    zone = Zone(state.zone)
    when = zone.moment(newest.timestamp)
    if seconds > _HISTORY_S:
        return {
            "text": f"The newest reading is of {when}.",
            "day": zone.local(newest.timestamp).date(),
            "contour": any(each.road and each.milepost is not None for each in state.sensors),
        }
    text = f"No reading in the last 5 minutes; the newest is of {when} ({age(seconds)} ago)."
    return said | {"text": text}


def newest_note(seconds: float, stale: bool) -> str:
    """What stands below the time of the newest reading."""
    if not stale:
        return f"{age(seconds)} ago"
    return "Nothing newer" if seconds > _HISTORY_S else "No reading in the last 5 minutes"


def commit_note(seconds: float) -> str:
    """What stands below the time of the last commit, which has its date where it is of before."""
    return "nothing was stored since" if is_long(seconds) else f"{age(seconds)} ago"
