"""The reader of the process: it polls PostgreSQL for all open pages, while there are any."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from nicegui import Event

from traffic_platform.api.database import Database
from traffic_platform.dashboard.overview.overview_state import OverviewState
from traffic_platform.dashboard.reader.state import Change, Problem, State
from traffic_platform.dashboard.reader.state_updates import StateUpdates
from traffic_platform.dashboard.shared.queries import UNAVAILABLE
from traffic_platform.settings import Settings

# Longest time from a commit to the update that the reader sends to pages.
POLL_S = 0.4
_LINGER_S = 15.0  # the reader waits this long for a page that was requested to connect
_RETRY_S = (POLL_S, 5.0)  # first and longest pause after a failure
_STEP_S = 20.0  # longest time of one poll

_log = logging.getLogger(__name__)


class Reader:
    """Keep `state` current while pages are open, and report each change through `changed`.

    Pages subscribe to `changed` and show `overview`, which is rendered once for all of them. The
    reader reads nothing while there is no subscriber.
    """

    def __init__(self, settings: Settings, database: Callable[[], Database]) -> None:
        self.state = State(zone=settings.timezone)
        self.overview = OverviewState()
        self.changed: Event[Change] = Event()
        self._database = database
        self._updates = StateUpdates(self.state, settings, database)
        self._task: asyncio.Task[None] | None = None
        self._wanted_until = 0.0
        self._first_step_done = asyncio.Event()

    @property
    def is_reading(self) -> bool:
        """Whether the reader polls PostgreSQL."""
        return self._task is not None and not self._task.done()

    async def want(self, timeout: float) -> None:
        """Start to poll for a page that is about to open; wait up to `timeout` s for a state."""
        self._wanted_until = time.monotonic() + _LINGER_S
        if not self.is_reading:
            self._first_step_done.clear()
            self._updates.restart()
            self._task = asyncio.create_task(self._poll(), name="traffic page reader")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._first_step_done.wait(), timeout)

    async def _poll(self) -> None:
        retry = _RETRY_S[0]
        try:
            while self.changed.callbacks or time.monotonic() < self._wanted_until:
                started = time.monotonic()
                try:
                    await self._step()
                except Exception as error:  # open pages depend on this task, so it survives errors
                    self._report(error)
                    pause, retry = retry, min(2 * retry, _RETRY_S[1])
                else:
                    pause, retry = POLL_S - (time.monotonic() - started), _RETRY_S[0]
                self._first_step_done.set()
                await asyncio.sleep(max(0.05, pause))
        finally:
            self._updates.cancel()

    async def _step(self) -> None:
        async with asyncio.timeout(_STEP_S), self._database().connection() as connection:
            change = await self._updates.read(connection)
        parts = set(change.parts)
        if self.overview.refresh(self.state, change):
            parts.add("marks")
        if self.state.problem is not None:
            self.state.problem = None
            parts.add("problem")
        self.changed.emit(Change(frozenset(parts), change.sensors))

    def _report(self, error: Exception) -> None:
        """Tell pages about an error, and start over: pages may have missed changes."""
        self._updates.restart()
        is_unavailable = isinstance(error, UNAVAILABLE)
        problem = self.state.problem
        if problem is None or problem.is_unavailable != is_unavailable:
            _log.warning(
                "The dashboard cannot read PostgreSQL and retries: %s",
                type(error).__name__ if is_unavailable else error,
                exc_info=None if is_unavailable else error,
            )
            since = datetime.now(UTC) if problem is None else problem.since
            self.state.problem = Problem(since, is_unavailable)
        change = Change(frozenset({"problem"}), frozenset())
        with suppress(Exception):  # the error may come from rendering
            self.overview.refresh(self.state, change)
        self.changed.emit(change)
