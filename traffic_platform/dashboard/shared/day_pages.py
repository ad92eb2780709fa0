"""What the pages of an analyst share: a day from the query, a picker, and no database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.frame import frame
from traffic_platform.dashboard.shared.model import Change
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.reader import AWAY
from traffic_platform.dashboard.shared.render import Panel, render
from traffic_platform.dashboard.shared.time_format import Zone

_PATIENCE_S = 12.0
_SHORT_PATIENCE_S = 1.0  # when it is known already that the database is away

_FIRST_YEAR, _LAST_YEAR = 1900, 2199  # as in api/days.py

_log = logging.getLogger(__name__)
Found = TypeVar("Found")


async def ask(
    context: PageContext, question: Callable[[Connection], Awaitable[Found]]
) -> Found | None:
    """The answer of PostgreSQL; None when there is none in time: `away` is the page then."""
    await context.reader.want(timeout=0)
    patience = _SHORT_PATIENCE_S if _is_away(context) else _PATIENCE_S
    try:
        async with asyncio.timeout(patience), context.connection() as connection:
            return await question(connection)
    except AWAY as error:  # or busy: a query that is too slow ends like this as well
        _log.warning("A page cannot read PostgreSQL: %s", type(error).__name__)
        return None


def away(context: PageContext, here: str, title: str) -> None:
    """A page that says that the database is away, and comes back when it is not.

    Where the reader is answered meanwhile the question was too slow. To ask it again by itself
    would only add to that, so a button does.
    """
    with frame(context, here, title, title):
        notice = Panel(_waiting(context))
        ui.button("Try again", on_click=ui.navigate.reload).props("no-caps outline")
    was_away = _is_away(context)

    def show(_change: Change, _fresh: Sequence[Mark]) -> None:
        nonlocal was_away
        if was_away and not _is_away(context):
            ui.navigate.reload()
        was_away = _is_away(context)
        notice.show(_waiting(context))

    follow(context, show)


def _waiting(context: PageContext) -> str:
    return render("waiting", away=_is_away(context))


def _is_away(context: PageContext) -> bool:
    problem = context.reader.state.problem
    return problem is not None and problem.is_away


def parse_date(value: str | None) -> date | None:
    """A date of a query parameter; None for what is none, or lies where zones have no rules."""
    try:
        day = date.fromisoformat(value) if value else None
    except ValueError:
        return None
    return day if day and _FIRST_YEAR <= day.year <= _LAST_YEAR else None


async def on_date(
    context: PageContext,
    here: str,
    date_of_query: str | None,
    build: Callable[[date | None], Awaitable[None]],
    *,
    without: str,
) -> None:
    """`build` the page of a query's date (None: the query has none), or say that it is no date.

    `here`: the page, as in the bar; `without`: the address without the date.
    """
    day = parse_date(date_of_query)
    if day is not None or not date_of_query:
        await build(day)
        return
    with frame(context, here, "No such date"):
        Panel(
            render(
                "no_date",
                value=date_of_query,
                example=context.zone.today(),
                first=_FIRST_YEAR,
                last=_LAST_YEAR,
                without=without,
            )
        )


def parse_words(value: str) -> str:
    """Words to look for. A NUL, which no text of PostgreSQL can hold, becomes U+FFFD."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


@dataclass(frozen=True)
class Days:
    """The day that is shown, and those that hold data, newest first."""

    zone: Zone
    shown: date
    known: Sequence[date]

    @property
    def before(self) -> date | None:
        """The newest day with data before the one that is shown."""
        return next((day for day in self.known if day < self.shown), None)

    @property
    def after(self) -> date | None:
        """The oldest day with data after the one that is shown."""
        return next((day for day in reversed(self.known) if day > self.shown), None)


async def read_days(connection: Connection, wanted: date | None) -> Days:
    """The day that was asked for, else the newest with data, else today."""
    zone = Zone((await rows(connection, "zone"))[0].timezone)
    known = [row.date for row in await rows(connection, "dates")]
    return Days(zone, wanted or next(iter(known), zone.today()), known)


def link(path: str, **query: object) -> str:
    """A path with query parameters; those without a value are left out."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def pick_day(days: Days, to: Callable[[date], str]) -> None:
    """A date picker with the days that hold data marked; `to` is the address of a day."""

    def choose(event: ValueChangeEventArguments[str | None]) -> None:
        day = parse_date(event.value)
        if day is not None and day != days.shown:
            ui.navigate.to(to(day))

    label = f"Date ({days.zone.name})"
    field = ui.date_input(label, value=days.shown.isoformat(), on_change=choose)
    field.props('dense outlined debounce="700"')
    field.button.props('aria-label="Choose a date; days with data are marked"')
    field.picker.props["events"] = [f"{day:%Y/%m/%d}" for day in days.known]
    field.picker.props("event-color=amber-8 minimal first-day-of-week=1")
    neighbours = (("Previous day with data", days.before), ("Next day with data", days.after))
    Panel(render("neighbours", days=[(name, day, to(day)) for name, day in neighbours if day]))


def no_data(days: Days, what: str) -> str:
    """A sentence for a day without data."""
    if days.shown in days.known:
        return f"{what} has no reading on {days.shown}."
    newest = next(iter(days.known), None)
    if newest is None:
        return "No reading has been rolled up yet: the first appears within seconds of its arrival."
    return f"There is no reading of {days.shown}; the newest day with data is {newest}."
