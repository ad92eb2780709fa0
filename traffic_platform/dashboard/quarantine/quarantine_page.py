"""Rejected messages: by reason, and the newest ones with their content."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.quarantine.reasons import reasons
from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.dashboard.shared.address import clean_text
from traffic_platform.dashboard.shared.frame import BUILD_S, frame, panel, text
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import read_page, run_query
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render, spaced

PATH = "/quarantine"
_LISTED = 50
_SUB = "Rejected messages. The original bytes are kept until you resolve them."
_MESSAGES_SUB = (
    "With their arrival time. Unprintable characters are escaped, and long values are cut."
)


def register(context: PageContext) -> None:
    """Serve the page."""

    @ui.page(PATH, response_timeout=BUILD_S)
    async def quarantine(  # pyright: ignore[reportUnusedFunction]
        reason: str | None = None,
    ) -> None:
        await _build(context, None if reason is None else clean_text(reason))


async def _build(context: PageContext, reason: str | None) -> None:
    query = partial(_read, reason=reason)
    found = await read_page(context, PATH, "Quarantine", query)
    if found is None:
        return
    with frame(context, PATH, "Quarantine", "Quarantine", _SUB), ui.element("div").classes("grid"):
        with panel("w4", "By reason"):
            table = Panel(_reasons(context, reason))
            text("h2", "Next steps").style("margin-top: 18px")
            steps = Panel(_next_steps(context, reason, found))
        title = "Newest messages" if reason is None else f"Newest: {spaced(reason)}"
        with panel("w8", title, _MESSAGES_SUB):
            messages = Panel(_messages(context, reason, found))
    shown = list(context.reader.state.quarantine)

    async def show(change: Change) -> None:
        if "quarantine" not in change.parts or shown == context.reader.state.quarantine:
            return
        shown[:] = context.reader.state.quarantine
        table.show(_reasons(context, reason))
        again = await run_query(context, query)
        if again is not None:
            steps.show(_next_steps(context, reason, again))
            messages.show(_messages(context, reason, again))

    follow(context, show)


async def _read(connection: Connection, *, reason: str | None) -> list[Any]:
    return await rows(connection, "quarantine/messages", reason=reason, limit=_LISTED)


def _reasons(context: PageContext, reason: str | None) -> str:
    return reasons(context.reader.state, datetime.now(UTC), one_chosen=reason is not None)


def _next_steps(context: PageContext, reason: str | None, found: Sequence[Any]) -> str:
    # Users paste the command into a shell, so an unknown reason from the address is left out.
    known = {each.reason for each in context.reader.state.quarantine}
    chosen = reason if reason in known else None
    return render("quarantine/reprocess", reason=chosen, messages=found[:1])


def _messages(context: PageContext, reason: str | None, found: Sequence[Any]) -> str:
    return render("quarantine/messages", rows=found, zone=context.zone, reason=reason)
