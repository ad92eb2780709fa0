"""A day that is not over: what a page shows of it is read anew every minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from traffic_platform.api.database import Connection
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.day_pages import Days, ask
from traffic_platform.dashboard.shared.follow_reader import follow
from traffic_platform.dashboard.shared.model import Change
from traffic_platform.dashboard.shared.page_context import PageContext

# What comes last to a day is still waited for, and rolled up.
_LATE = timedelta(minutes=10)

Found = TypeVar("Found")
Question = Callable[[Connection], Awaitable[Found]]


def follow_day(
    context: PageContext,
    days: Days,
    key: Hashable,
    question: Question[Found],
    show: Callable[[Found], None],
) -> None:
    """Ask again and `show`, whenever the reader says that a minute has gone by.

    `key` names the question: pages that look at the same share the answer.
    """
    if not _is_running(days):
        return

    async def look(change: Change, _fresh: Sequence[Mark]) -> None:
        if "minute" not in change.parts or not _is_running(days):
            return
        found = await _shared(context, key, question)
        if found is not None:
            show(found)

    follow(context, look)


def _is_running(days: Days) -> bool:
    return days.zone.today(datetime.now(UTC) - _LATE) <= days.shown <= days.zone.today()


async def _shared(context: PageContext, key: Hashable, question: Question[Found]) -> Found | None:
    """The answer to a question that may be under way already, one question after another."""
    task = context.asked.get(key)
    if task is None:

        async def in_turn() -> Any:
            # All pages ask at the same moment; the API's other readers are not to wait for them.
            async with context.one_at_a_time:
                return await ask(context, question)

        task = context.asked[key] = asyncio.create_task(in_turn(), name="traffic page of today")
        task.add_done_callback(lambda _: context.asked.pop(key))
    # A page that is closed meanwhile must not end the others' waiting.
    return cast("Found | None", await asyncio.shield(task))
