"""What all pages share: the bar, the notice when the database is away, the style."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from markupsafe import escape
from nicegui import ui

from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.model import Change
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
_STATIC = Path(__file__).parents[1] / "static"


def add_style() -> None:
    """Style and theme of every page; once, before the application is served."""
    ui.add_css(_STATIC / "page.css", shared=True)
    script = (_STATIC / "theme.js").read_text(encoding="utf-8")
    ui.add_head_html(f"<script>{script}</script>", shared=True)


@contextmanager
def frame(
    context: PageContext, here: str, title: str, heading: str = "", sub: str = ""
) -> Generator[None]:
    """The page around its content. `title` is that of the window."""
    ui.page_title(f"{title} · traffic_platform")
    Panel(render("bar", pages=PAGES, here=here, zone=context.zone.name))
    with ui.element("main").classes("page") as main:
        problem = Panel(_problem(context))
        with ui.element("div").classes("title"), ui.element("div"):
            text("h1", heading or title)
            if sub:
                text("p", sub).classes("sub")
        yield
    ui.skip_link(target=main)

    def show(change: Change, _fresh: Sequence[Mark]) -> None:
        if "problem" in change.parts:
            problem.show(_problem(context))

    follow(context, show)


@contextmanager
def panel(width: str, title: str, sub: str = "") -> Generator[ui.element]:
    """A titled box; yields its head, for controls."""
    with ui.element("section").classes(f"panel {width}") as section:
        section.props["aria-label"] = title
        with ui.element("div").classes("head") as head, ui.element("div"):
            text("h2", title)
            if sub:
                text("p", sub).classes("sub")
        yield head


def text(tag: str, value: str) -> ui.html:
    """An element of HTML that holds text."""
    return ui.html(escape(value), sanitize=False, tag=tag)


def _problem(context: PageContext) -> str:
    problem = context.reader.state.problem
    if problem is None:
        return ""
    return render("problem", since=context.zone.clock(problem.since), away=problem.is_away)
