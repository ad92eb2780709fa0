"""Navigation, notices and style that all pages share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from markupsafe import escape
from nicegui import ui

from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.render import Panel, render

PAGES = (
    ("/", "Now"),
    ("/corridor", "Corridor"),
    ("/sensor", "Sensor"),
    ("/day", "Day"),
    ("/detectors", "Detectors"),
    ("/quarantine", "Quarantine"),
)
# Longest time until a page is built, in seconds.
BUILD_S = 20.0
_STATIC = Path(__file__).parents[1] / "static"


def add_style() -> None:
    """Add style and theme to every page. Call it once, before the application is served."""
    ui.add_css(_STATIC / "page.css", shared=True)
    script = (_STATIC / "theme.js").read_text(encoding="utf-8")
    ui.add_head_html(f"<script>{script}</script>", shared=True)


@contextmanager
def frame(
    context: PageContext, here: str, title: str, heading: str = "", sub: str = ""
) -> Generator[None]:
    """Add the page around its content. `title` is the window's title."""
    ui.page_title(f"{title} · traffic_platform")
    Panel(render("shared/bar", pages=PAGES, here=here, zone=context.zone.name))
    with ui.element("main").classes("page") as main:
        problem = Panel(_problem(context))
        with ui.element("div").classes("title"), ui.element("div"):
            text("h1", heading or title)
            if sub:
                text("p", sub).classes("sub")
        yield
    ui.skip_link(target=main)

    def show(change: Change) -> None:
        if "problem" in change.parts:
            problem.show(_problem(context))

    follow(context, show)


@contextmanager
def panel(width: str, title: str, sub: str = "") -> Generator[ui.element]:
    """Add a titled box; yield its head, for controls. `width` is a class of page.css."""
    with ui.element("section").classes(f"panel {width}") as section:
        section.props["aria-label"] = title
        with ui.element("div").classes("head") as head, ui.element("div"):
            text("h2", title)
            if sub:
                text("p", sub).classes("sub")
        yield head


def text(tag: str, value: str) -> ui.html:
    """Add an HTML element with escaped text."""
    return ui.html(escape(value), sanitize=False, tag=tag)


def _problem(context: PageContext) -> str:
    problem = context.reader.state.problem
    if problem is None:
        return ""
    since = context.zone.clock(problem.since)
    return render("shared/problem", since=since, unavailable=problem.is_unavailable)
