"""What is in quarantine: by reason, with the messages behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.overview import overview_tables as tables
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.day_pages import ask, away
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.frame import frame, panel, text
from traffic_platform.dashboard.shared.model import Change
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render

PATH = "/quarantine"
_LISTED = 50
_SUB = "With the time of arrival; what cannot be printed is escaped, long values are cut"


async def build(context: PageContext, reason: str | None) -> None:
    """The whole page; it shows new messages by itself."""

    async def read(connection: Connection) -> list[Any]:
        return await rows(connection, "quarantine_messages", reason=reason, limit=_LISTED)

    found = await ask(context, read)
    if found is None:
        away(context, PATH, "Quarantine")
        return
    sub = "Messages that are no event; each is kept byte for byte until it is worked off"
    with frame(context, PATH, "Quarantine", "Quarantine", sub), ui.element("div").classes("grid"):
        with panel("w4", "By reason"):
            reasons = Panel(_reasons(context, reason))
            text("h2", "What to do").style("margin-top: 18px")
            replay = Panel(_what_to_do(context, reason, found))
        title = "Newest messages" if reason is None else f"Newest: {reason.replace('_', ' ')}"
        with panel("w8", title, _SUB):
            messages = Panel(_messages(context, found))
    shown = list(context.reader.state.quarantine)

    async def show(change: Change, _fresh: Sequence[Mark]) -> None:
        if "quarantine" not in change.parts or shown == context.reader.state.quarantine:
            return
        shown[:] = context.reader.state.quarantine
        reasons.show(_reasons(context, reason))
        again = await ask(context, read)
        if again is not None:
            replay.show(_what_to_do(context, reason, again))
            messages.show(_messages(context, again))

    follow(context, show)


def _reasons(context: PageContext, reason: str | None) -> str:
    listed = tables.reasons(context.reader.state, datetime.now(UTC))
    return render("reasons", rows=listed) + (render("all_reasons") if reason else "")


def _what_to_do(context: PageContext, reason: str | None, found: Sequence[Any]) -> str:
    # Somebody pastes it into a shell: what an address says has to be a reason that there is.
    known = {each.reason for each in context.reader.state.quarantine}
    example = _id(found[0]) if found else None
    return render("replay", reason=reason if reason in known else None, example=example)


def _id(row: Any) -> str:
    """As `traffic quarantine show` takes it."""
    return f"{row.topic}/{row.partition}/{row.offset}"


def _messages(context: PageContext, found: Sequence[Any]) -> str:
    zone = context.zone
    listed = [
        {
            "id": _id(row),
            "arrived": zone.moment(row.arrived),
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
