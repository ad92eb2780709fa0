"""The page as a part of the application."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import ui

from traffic_platform.dashboard import overview
from traffic_platform.dashboard.frame import add_style
from traffic_platform.dashboard.rooms import Rooms

# Messages that a page which lost its connection for a moment is sent again.
_HISTORY = 60


def mount(app: FastAPI) -> None:
    """Add the page at `/`, over the settings and the database of this application."""
    rooms = Rooms.of(app)
    add_style()

    @ui.page("/")
    async def now() -> None:  # pyright: ignore[reportUnusedFunction]  (NiceGUI calls it)
        await overview.build(rooms)

    ui.run_with(
        app,
        title="traffic_platform",
        dark=None,
        language="en-US",
        tailwind=False,
        binding_refresh_interval=None,
        message_history_length=_HISTORY,
        show_welcome_message=False,
    )
