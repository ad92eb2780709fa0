"""HTML from templates. Every value is escaped."""

from __future__ import annotations

import shlex
import shutil
import sys
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nicegui import ui

from traffic_platform.events.texts import printable

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
    made.filters.update(printable=printable, number=number, spaced=spaced)
    return made


@cache
def _traffic() -> str:
    """Return the `traffic` command for a shell on this machine.

    It is the whole path, unless the command is on the PATH, as it is in a container. Without the
    path, a command of the page could not be pasted outside the virtual environment.
    """
    own = Path(sys.executable).with_name("traffic")
    found = shutil.which("traffic")
    return "traffic" if found and Path(found) == own else shlex.quote(str(own))


def compile_templates() -> None:
    """Compile every template, so that the first page does not wait for it."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


def render(name: str, /, **values: object) -> str:
    """Return the HTML of templates/NAME.html. The values are escaped.

    `traffic` is the command line in each template.
    """
    return _environment().get_template(f"{name}.html").render(traffic=_traffic(), **values)


class Panel(ui.html):
    """A part of the page that shows HTML from a template and can show other HTML later."""

    def __init__(self, content: str = "", *, tag: str = "div") -> None:
        """`content` comes from `render`, so it needs no sanitizing."""
        super().__init__(content, sanitize=False, tag=tag)

    def show(self, content: str) -> None:
        """Show HTML from `render`. The browser gets it only if it differs."""
        if content != self.content:
            self.set_content(content)


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """Return a number with its unit, such as 1,234.5 mph; a dash for None."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def spaced(code: str) -> str:
    """Return a code with spaces: no_measures becomes no measures."""
    return code.replace("_", " ")
