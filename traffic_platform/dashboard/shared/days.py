"""The day that a page shows, and the picker of another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.shared.address import FIRST_YEAR, LAST_YEAR, parse_date
from traffic_platform.dashboard.shared.frame import frame
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.queries import rows
from traffic_platform.dashboard.shared.render import Panel, render
from traffic_platform.dashboard.shared.time_format import Zone


@dataclass(frozen=True)
class Days:
    """The day that a page shows, and all days with data, newest first."""

    zone: Zone
    shown: date
    known: Sequence[date]

    @property
    def before(self) -> date | None:
        """The newest day with data before the shown one."""
        return next((day for day in self.known if day < self.shown), None)

    @property
    def after(self) -> date | None:
        """The oldest day with data after the shown one."""
        return next((day for day in reversed(self.known) if day > self.shown), None)


async def read_days(connection: Connection, wanted: date | None) -> Days:
    """Return the wanted day, else the newest with data, else today. Raises psycopg.Error."""
    zone = Zone((await rows(connection, "shared/zone"))[0].timezone)
    known = [row.date for row in await rows(connection, "shared/dates")]
    return Days(zone, wanted or next(iter(known), zone.today()), known)


async def show_day(
    context: PageContext,
    here: str,
    value: str | None,
    build: Callable[[date | None], Awaitable[None]],
    *,
    without: str | None = None,
) -> None:
    """Build a page for the date of its address, or show that the date is invalid.

    `build` gets None if the address has no date. `without` is the address without the date;
    default: `here`, the path of the page.
    """
    day = parse_date(value)
    if day is not None or not value:
        await build(day)
        return
    with frame(context, here, "Invalid date"):
        Panel(
            render(
                "shared/invalid_date",
                value=value,
                example=context.zone.today(),
                first=FIRST_YEAR,
                last=LAST_YEAR,
                without=without or here,
            )
        )


def pick_day(days: Days, to: Callable[[date], str]) -> None:
    """Add a date picker that marks the days with data. `to` returns the address of a day."""

    def choose(event: ValueChangeEventArguments[str | None]) -> None:
        day = parse_date(event.value)
        if day is not None and day != days.shown:
            ui.navigate.to(to(day))

    label = f"Date ({days.zone.name})"
    field = ui.date_input(label, value=days.shown.isoformat(), on_change=choose)
    field.props('dense outlined debounce="700"')
    field.button.props('aria-label="Choose a date. Days with data are marked."')
    field.picker.props["events"] = [f"{day:%Y/%m/%d}" for day in days.known]
    field.picker.props("event-color=amber-8 minimal first-day-of-week=1")
    neighbours = (("Previous day with data", days.before), ("Next day with data", days.after))
    shown = [(name, day, to(day)) for name, day in neighbours if day]
    Panel(render("shared/neighbours", days=shown))


def no_data(days: Days, name: str) -> str:
    """Return a sentence about a day without data. `name` begins it: a sensor or a road."""
    if days.shown in days.known:
        return f"{name} has no readings on {days.shown}."
    newest = next(iter(days.known), None)
    if newest is None:
        return "No roll-ups yet. The first ones follow the first readings within seconds."
    return f"No readings on {days.shown}. The newest day with data is {newest}."
