"""What the commands share: tables for people, JSON for programs, progress, and a way to stop."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import date, datetime
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import UUID

from traffic_platform.events import texts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from traffic_platform.ledger.partition_locks import Holder

INTERRUPTED = 130  # what a shell expects of a program that ctrl-C ended


def print_json(document: object) -> None:
    """One JSON document on standard output. Times are ISO 8601 in UTC and end in Z."""
    sys.stdout.write(json.dumps(document, indent=2, default=_to_json) + "\n")


def say(text: str) -> None:
    """One line for people, on standard output. `text` is shown as it is."""
    sys.stdout.write(f"{text}\n")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: 1 message, 2,000 messages."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def say_whom_we_wait_for(holders: Iterable[Holder], command: str, does: str) -> None:
    """Name, on standard error, the living holders of what this command needs, if there are any."""
    alive = [holder for holder in holders if holder.alive]
    if alive:
        runs = sorted({holder.run_id or f"another `traffic {command}`" for holder in alive})
        sys.stderr.write(f"Waiting for {', '.join(runs)}, which {does} now.\n")


def print_table(title: str, headers: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table for people. Cells are shown as they are; numbers stand to the right."""
    _output().print(_table(title, list(headers), [list(row) for row in rows]))


@contextmanager
def progress_bar(*, quiet: bool) -> Generator[Progress]:
    """A bar on standard error, while it is a terminal and the output is for people."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not console.is_terminal
    ) as bar:
        yield bar


@contextmanager
def stop_on_signals() -> Generator[Event]:
    """An event that SIGINT (ctrl-C) or SIGTERM sets; a second signal ends the process at once."""
    stop = Event()

    def ask(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def utc_text(moment: datetime | int | None) -> str:
    """ISO 8601 in UTC with Z of a time, or of microseconds since 1970; empty for None."""
    if moment is None:
        return ""
    if isinstance(moment, int):
        return texts.show_time(moment)
    return texts.utc_text(moment)


def _output() -> Console:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    # A pipe has no width of its own; a table in a file should not be cut at 80 columns.
    return console if console.is_terminal else Console(markup=False, highlight=False, width=200)


def _table(title: str, headers: list[str], rows: list[list[object]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for position, header in enumerate(headers):
        numbers = all(isinstance(row[position], int | float | None) for row in rows)
        table.add_column(header, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    return text if text.isprintable() else texts.printable(text.encode("utf-8", "surrogateescape"))


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
