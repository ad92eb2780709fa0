"""Subscription of an open page to the reader, while its browser is connected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from nicegui import ui

from traffic_platform.dashboard.reader.state import EVERYTHING, Change
from traffic_platform.dashboard.shared.page_context import PageContext

Show = Callable[[Change], Awaitable[None] | None]


def follow(context: PageContext, show: Show) -> None:
    """Call `show` for every change, and with EVERYTHING when the browser connects.

    A client that only fetches the HTML never connects. Its messages would pile up in memory.
    """
    client, reader = ui.context.client, context.reader

    async def begin() -> None:
        reader.changed.unsubscribe(show)
        reader.changed.subscribe(show, unsubscribe_on_delete=False)
        await reader.want(timeout=0)
        shown = show(EVERYTHING)
        if isawaitable(shown):
            await shown

    def end() -> None:
        # A browser may reconnect before the server notices that the old connection is gone.
        if not client.has_socket_connection:
            reader.changed.unsubscribe(show)

    client.on_connect(begin)
    client.on_disconnect(end)
    client.on_delete(lambda: reader.changed.unsubscribe(show))
