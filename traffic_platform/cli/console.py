"""Output of the commands: tables for people, JSON for programs, progress bars; and stop signals."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import UUID

from traffic_platform.events import texts

if TYPE_CHECKING:
    from rich.progress import Progress

    from traffic_platform.ledger.partition_locks import Holder
    from traffic_platform.settings import Settings

INTERRUPTED = 130  # the exit code that shells expect after ctrl-C


def print_json(document: object) -> None:
    """Print one JSON document to standard output. Times are ISO 8601 in UTC and end in Z."""
    sys.stdout.write(json.dumps(document, indent=2, default=_to_json) + "\n")


def say(text: str) -> None:
    """Print a line for people to standard output, without markup."""
    sys.stdout.write(f"{text}\n")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: 1 message, 2,000 messages."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def load_settings() -> Settings:
    """Return the settings, after a warning on standard error for each unknown variable.

    Raises SettingsError for invalid settings.
    """
    from traffic_platform import settings

    for sentence in settings.unknown_settings():
        sys.stderr.write(f"Warning: {sentence}\n")
    return settings.load_settings()


def report_holders(holders: Iterable[Holder], command: str, activity: str) -> None:
    """Name the live holders of the locks that a command needs on standard error, if any."""
    alive = [holder for holder in holders if holder.alive]
    if alive:
        runs = sorted({holder.run_id or f"another `traffic {command}`" for holder in alive})
        sys.stderr.write(f"Waiting for {', '.join(runs)}, which {activity} now.\n")


def print_table(title: str, headers: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table for people, without markup. Numbers are aligned to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for position, header in enumerate(headers):
        numbers = all(isinstance(row[position], int | float | Decimal | None) for row in cells)
        table.add_column(header, justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        # A pipe has no width. A table in a file should not be cut at 80 columns.
        console = Console(markup=False, highlight=False, width=200)
    console.print(table)


@contextmanager
def progress_bar(*, quiet: bool) -> Generator[Progress]:
    """Yield a progress bar on standard error, hidden if quiet or if that is not a terminal."""
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
    """Yield an event that SIGINT (ctrl-C) or SIGTERM sets. A second signal kills the process."""
    stop = Event()

    def request_stop(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request_stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def moment(time_us: int | None) -> datetime | None:
    """Return microseconds since 1970 as a time in UTC, None for None."""
    from traffic_platform.events.dates import from_microseconds

    return None if time_us is None else from_microseconds(time_us)


def time_text(time: datetime | None) -> str:
    """Return a time for people, as ISO 8601 in whole seconds, in UTC with Z; empty for None."""
    return "" if time is None else texts.utc_text(time.replace(microsecond=0))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    return text if text.isprintable() else texts.printable(text.encode("utf-8", "surrogateescape"))


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return texts.utc_text(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"Cannot encode {type(value).__name__} as JSON.")
