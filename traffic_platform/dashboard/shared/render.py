"""HTML from templates in which every value is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nicegui import ui

from traffic_platform.dashboard.shared.printable import printable

_TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(printable=printable, number=number, words=words)
    return made


def compile_templates() -> None:
    """Compile every template, so that nobody's page waits for that."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


def render(name: str, **values: object) -> str:
    """The HTML of templates/NAME.html with these values, which are escaped."""
    return _environment().get_template(f"{name}.html").render(**values)


class Panel(ui.html):
    """A part of the page that is filled from a template, again and again."""

    def __init__(self, content: str = "", *, tag: str = "div") -> None:
        """`content` comes from `render`: nothing is left to sanitize."""
        super().__init__(content, sanitize=False, tag=tag)

    def show(self, content: str) -> None:
        """Show what `render` made; the browser is told only when it differs."""
        if content != self.content:
            self.set_content(content)


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """1,234.5 mph; a dash where nothing is known."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def words(code: str) -> str:
    """A code as words: no_measures, no measures."""
    return code.replace("_", " ")
