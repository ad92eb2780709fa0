"""What is in quarantine: by reason, with the messages behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard import operator_tables as tables
from traffic_platform.dashboard.analyst import ask, away
from traffic_platform.dashboard.following import follow
from traffic_platform.dashboard.frame import frame, panel
from traffic_platform.dashboard.model import Change
from traffic_platform.dashboard.operator_tables import Mark
from traffic_platform.dashboard.queries import rows
from traffic_platform.dashboard.render import Panel, render
from traffic_platform.dashboard.rooms import Rooms

PATH = "/quarantine"
_LISTED = 50


async def build(rooms: Rooms, reason: str | None) -> None:
    """The whole page; it shows new messages by itself."""

    async def read(connection: Connection) -> list[Any]:
        return await rows(connection, "quarantine_messages", reason=reason, limit=_LISTED)

    found = await ask(rooms, read)
    if found is None:
        away(rooms, PATH, "Quarantine")
        return
    sub = "Messages that are no event; each is kept byte for byte until it is worked off"
    with frame(rooms, PATH, "Quarantine", "Quarantine", sub), ui.element("div").classes("grid"):
        with panel("w4", "By reason"):
            reasons = Panel(_reasons(rooms, reason))
        title = "Newest messages" if reason is None else f"Newest: {reason.replace('_', ' ')}"
        with panel("w8", title, "What cannot be printed is escaped; long values are cut"):
            messages = Panel(_messages(rooms, found))
    shown = list(rooms.reader.state.quarantine)

    async def show(change: Change, _fresh: Sequence[Mark]) -> None:
        if "quarantine" not in change.parts or shown == rooms.reader.state.quarantine:
            return
        shown[:] = rooms.reader.state.quarantine
        reasons.show(_reasons(rooms, reason))
        again = await ask(rooms, read)
        if again is not None:
            messages.show(_messages(rooms, again))

    follow(rooms, show)


def _reasons(rooms: Rooms, reason: str | None) -> str:
    listed = tables.reasons(rooms.reader.state, datetime.now(UTC))
    return render("reasons", rows=listed) + (render("all_reasons") if reason else "")


def _messages(rooms: Rooms, found: Sequence[Any]) -> str:
    zone = rooms.zone
    listed = [
        {
            "place": f"{row.topic} [{row.partition}] offset {row.offset}",
            "at": zone.moment(row.quarantined_at),
            "reason": row.reason,
            "detail": row.detail,
            "key": row.key,
            "value": row.value,
            "bytes": row.value_bytes,
            "cut": row.value is not None and row.value_bytes > len(row.value),
        }
        for row in found
    ]
    return render("messages", rows=listed, zone=zone.name)
