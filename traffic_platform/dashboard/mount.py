"""The page as a part of the application."""

from __future__ import annotations

from fastapi import FastAPI
from nicegui import ui


def mount(app: FastAPI) -> None:
    """Add the page at `/`."""

    @ui.page("/")
    def overview() -> None:  # pyright: ignore[reportUnusedFunction]  (NiceGUI calls it)
        ui.label("traffic_platform")

    ui.run_with(app, title="traffic_platform")
