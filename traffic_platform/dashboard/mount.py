"""The dashboard as a part of the API's application."""

from __future__ import annotations

import logging
import re

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from nicegui import app as nicegui_app
from nicegui import ui

from traffic_platform.api.not_found import keep_problems
from traffic_platform.dashboard.corridor import corridor_page
from traffic_platform.dashboard.day import day_page
from traffic_platform.dashboard.detectors import detectors_page
from traffic_platform.dashboard.overview import overview_page
from traffic_platform.dashboard.quarantine import quarantine_page
from traffic_platform.dashboard.sensor import sensor_page
from traffic_platform.dashboard.shared.frame import add_style
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.render import compile_templates

_PAGES = (overview_page, corridor_page, sensor_page, day_page, detectors_page, quarantine_page)
# Messages that a page gets again after it lost its connection for a moment.
_HISTORY = 60
# White text on this colour has a contrast of 7.8.
_PRIMARY = "#12586b"
_QUERY = re.compile(r"(\w+://[^\s?]*)\?\S*")


def mount(app: FastAPI) -> PageContext:
    """Serve the dashboard at `/` with the settings and the database of this application."""
    context = PageContext.of(app)
    keep_problems(app)
    _leave_out_queries()
    add_style()
    compile_templates()
    nicegui_app.colors(primary=_PRIMARY)
    for page in _PAGES:
        page.register(context)
    ui.run_with(
        app,
        title="traffic_platform",
        dark=None,
        language="en-US",
        tailwind=False,
        binding_refresh_interval=None,
        message_history_length=_HISTORY,
        # Level 9, the default, takes three times as long and saves a twentieth of the bytes.
        gzip_middleware_factory=lambda app: GZipMiddleware(app, compresslevel=5),
        show_welcome_message=False,
    )
    return context


def _leave_out_queries() -> None:
    """Remove query strings from URLs in NiceGUI's log. A second call changes nothing.

    A query string may hold a key that somebody put there by mistake, and people share logs.
    """
    logging.getLogger("nicegui").addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    short = _QUERY.sub(r"\1", message)
    if short != message:
        record.msg, record.args = short, ()
    return True
