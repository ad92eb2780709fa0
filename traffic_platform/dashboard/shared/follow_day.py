"""Updates of pages that show a running day: every minute, with one query for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from traffic_platform.dashboard.reader.follow import follow
from traffic_platform.dashboard.reader.state import Change
from traffic_platform.dashboard.shared.days import Days
from traffic_platform.dashboard.shared.page_context import PageContext
from traffic_platform.dashboard.shared.page_query import Found, Query, run_query

# The last readings of a day still arrive and are rolled up after its end.
_LATE = timedelta(minutes=10)


def follow_day(
    context: PageContext,
    days: Days,
    key: Hashable,
    query: Query[Found],
    show: Callable[[Found], None],
) -> None:
    """Repeat `query` and `show` its result every minute, while the day is running.

    `key` identifies the query: pages with the same key share one result.
    """
    if not _is_running(days):
        return

    async def update(change: Change) -> None:
        if "minute" not in change.parts or not _is_running(days):
            return
        found = await _shared_result(context, key, query)
        if found is not None:
            show(found)

    follow(context, update)


def _is_running(days: Days) -> bool:
    return days.zone.today(datetime.now(UTC) - _LATE) <= days.shown <= days.zone.today()


async def _shared_result(context: PageContext, key: Hashable, query: Query[Found]) -> Found | None:
    """Return the result of a query, which may already run for another page."""
    task = context.running.get(key)
    if task is None:

        async def run() -> Any:
            # All pages start at the same time. In turn they leave connections to the API.
            async with context.one_at_a_time:
                return await run_query(context, query)

        task = context.running[key] = asyncio.create_task(run(), name="traffic page of today")
        task.add_done_callback(lambda _: context.running.pop(key))
    # A page that closes meanwhile must not cancel the query of the others.
    return cast("Found | None", await asyncio.shield(task))
