"""How an open page follows the reader: from when its browser is connected until it is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable

from nicegui import ui

from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.model import EVERYTHING, Change
from traffic_platform.dashboard.shared.page_context import PageContext

Show = Callable[[Change, Sequence[Mark]], Awaitable[None] | None]


def follow(context: PageContext, show: Show) -> None:
    """Call `show` for every change, and with EVERYTHING when the browser connects.

    What only fetches the HTML never connects: messages for it would pile up until it is forgotten.
    """
    client, reader = ui.context.client, context.reader

    async def begin() -> None:
        reader.changed.unsubscribe(show)
        reader.changed.subscribe(show, unsubscribe_on_delete=False)
        await reader.want(timeout=0)
        shown = show(EVERYTHING, [])
        if isawaitable(shown):
            await shown

    def end() -> None:
        # A connection that came back is there before the old one is found to be gone.
        if not client.has_socket_connection:
            reader.changed.unsubscribe(show)

    client.on_connect(begin)
    client.on_disconnect(end)
    client.on_delete(lambda: reader.changed.unsubscribe(show))
