"""Queries of a page, and the page that appears while PostgreSQL does not answer them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nicegui import ui

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.dashboard.shared.frame import frame
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import UNAVAILABLE
from traffic_platform.dashboard.shared.render import Panel, render

_TIMEOUT_S = 12.0
_SHORT_TIMEOUT_S = 1.0  # while the reader already knows that the database is unavailable

_log = logging.getLogger(__name__)
Found = TypeVar("Found")
Query = Callable[[Connection], Awaitable[Found]]


async def run_query(context: PageContext, query: Query[Found]) -> Found | None:
    """Return the result of a query; None if PostgreSQL does not answer in time."""
    await context.reader.want(timeout=0)
    timeout = _SHORT_TIMEOUT_S if _is_unavailable(context) else _TIMEOUT_S
    try:
        async with asyncio.timeout(timeout), context.connection() as connection:
            return await query(connection)
    except UNAVAILABLE as error:
        _log.warning("A page cannot read PostgreSQL: %s", type(error).__name__)
        return None


async def read_page(
    context: PageContext, here: str, title: str, query: Query[Found]
) -> Found | None:
    """Return the result of a page's query. If there is none, show that instead of the page."""
    found = await run_query(context, query)
    if found is None:
        _show_unavailable(context, here, title)
    return found


def _show_unavailable(context: PageContext, here: str, title: str) -> None:
    """Show that the database is unavailable, and reload the page when it returns.

    If only this query was too slow, an automatic repetition would add to the load. The user
    repeats it with a button.
    """
    with frame(context, here, title, title):
        notice = Panel(_notice(context))
        ui.button("Try again", on_click=ui.navigate.reload).props("no-caps outline")
    was_unavailable = _is_unavailable(context)

    def show(_change: Change) -> None:
        nonlocal was_unavailable
        if was_unavailable and not _is_unavailable(context):
            ui.navigate.reload()
        was_unavailable = _is_unavailable(context)
        notice.show(_notice(context))

    follow(context, show)


def _notice(context: PageContext) -> str:
    return render("shared/unavailable", unavailable=_is_unavailable(context))


def _is_unavailable(context: PageContext) -> bool:
    problem = context.reader.state.problem
    return problem is not None and problem.is_unavailable
