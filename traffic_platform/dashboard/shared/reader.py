"""The one reader of the process: it asks PostgreSQL for all open pages, while there are any."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from nicegui import Event

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.sensors.detector_states import live_states
from traffic_platform.dashboard.overview.overview_state import OverviewState
from traffic_platform.dashboard.overview.overview_tables import Mark
from traffic_platform.dashboard.shared.model import (
    Change,
    LiveHealth,
    Pipeline,
    Problem,
    Reading,
    Reason,
    Sensor,
    State,
)
from traffic_platform.dashboard.shared.queries import rows, typed
from traffic_platform.settings import Settings

# From commit to changed pixel: at most this, and what a browser needs.
POLL_S = 0.4
_SLOW_S = 5.0  # quarantine, and whether readings have grown old
_HEALTH_S = 20.0  # health, and the list of sensors
MINUTE_S = 60.0  # pages of a day that is not over are drawn anew
_LINGER_S = 15.0  # a page that was asked for but has not opened yet
_RATE_S = 60.0
_RETRY_S = (POLL_S, 5.0)  # first and longest wait after a failure
FEED = 14

_log = logging.getLogger(__name__)


# A server that is away, as psycopg and its pool say it.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError)


class Reader:
    """Keeps `state` true while pages look at it; `changed` tells them what is new.

    Pages subscribe to `changed`, which ends with them, and show what `screen` has made
    for all. Without a subscriber nothing is read.
    """

    def __init__(self, settings: Settings, database: Callable[[], Database]) -> None:
        self.state = State(zone=settings.timezone)
        self.screen = OverviewState()
        self.changed: Event[Change, list[Mark]] = Event()
        self._settings = settings
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._wanted_until = 0.0
        self._known = asyncio.Event()
        self._health: asyncio.Task[None] | None = None
        self._forget()

    @property
    def is_reading(self) -> bool:
        """Whether PostgreSQL is being asked."""
        return self._task is not None and not self._task.done()

    async def want(self, timeout: float) -> None:
        """Begin to read for a page that is about to open; wait a while for the first state."""
        self._wanted_until = time.monotonic() + _LINGER_S
        if not self.is_reading:
            self._known.clear()
            self._forget()
            self._task = asyncio.create_task(self._read(), name="traffic page reader")
        try:
            await asyncio.wait_for(self._known.wait(), timeout)
        except TimeoutError:
            return

    def _forget(self) -> None:
        """Begin anew: what was seen before a break says nothing about what came in it."""
        self._positions: dict[tuple[int, int], int] | None = None
        self._corrections: Any = None
        self._next_slow = self._next_health = 0.0
        self._next_minute = time.monotonic() + MINUTE_S
        self._finished: set[str] = set()

    async def _read(self) -> None:
        retry = _RETRY_S[0]
        try:
            while self.changed.callbacks or time.monotonic() < self._wanted_until:
                started = time.monotonic()
                try:
                    await self._step()
                except Exception as error:  # whatever it is, open pages wait for this task
                    self._report(error)
                    pause, retry = retry, min(2 * retry, _RETRY_S[1])
                else:
                    pause, retry = POLL_S - (time.monotonic() - started), _RETRY_S[0]
                self._known.set()
                await asyncio.sleep(max(0.05, pause))
        finally:
            if self._health is not None:
                self._health.cancel()

    async def _step(self) -> None:
        async with asyncio.timeout(20), self._database().connection() as connection:
            change = await self._look(connection)
        fresh = self.screen.refresh(self.state, change)
        if self.state.problem is not None:
            self.state.problem = None
            change = Change(change.parts | {"problem"}, change.sensors)
        self.changed.emit(change, fresh)

    def _report(self, error: Exception) -> None:
        """Say that there is a problem. What was learned and not told yet is read again."""
        self._forget()
        is_away = isinstance(error, AWAY)
        problem = self.state.problem
        if problem is None or problem.is_away != is_away:
            text = "The page cannot read PostgreSQL, and tries again: %s"
            shown = type(error).__name__ if is_away else error
            _log.warning(text, shown, exc_info=None if is_away else error)
            since = datetime.now(UTC) if problem is None else problem.since
            self.state.problem = Problem(since, is_away)
        change = Change(frozenset({"problem"}), frozenset())
        fresh: list[Mark] = []
        with suppress(Exception):  # the error may be one of drawing
            fresh = self.screen.refresh(self.state, change)
        self.changed.emit(change, fresh)

    async def _look(self, connection: Connection) -> Change:
        parts, sensors = {"pipeline"}, set[int]()
        first_look = self._positions is None
        if first_look:
            await self._begin(connection)
            parts |= {"sensors", "feed"}
        elif moved := await self._moved_logs(connection):
            more, sensors = await self._take(connection, moved)
            parts |= more
        await self._look_at_pipeline(connection)
        if time.monotonic() >= self._next_slow:
            self._next_slow = time.monotonic() + _SLOW_S
            await self._look_at_quarantine(connection)
            if not first_look:
                more, corrected = await self._look_at_corrections(connection)
                parts, sensors = parts | more, sensors | corrected
            parts |= {"quarantine", "ages"}
        # A first page need not wait for what takes longest.
        if not first_look and time.monotonic() >= self._next_health:
            self._next_health = time.monotonic() + _HEALTH_S
            parts |= await self._look_at_sensors(connection)
            self._begin_health()
        if time.monotonic() >= self._next_minute:
            self._next_minute = time.monotonic() + MINUTE_S
            parts.add("minute")
        parts |= self._finished
        self._finished.clear()
        return Change(frozenset(parts), frozenset(sensors))

    async def _begin(self, connection: Connection) -> None:
        """Every sensor and its newest reading; later only what comes behind these positions."""
        positions = {
            (row.topic_no, row.partition): row.next_offset
            for row in await rows(connection, "positions")
        }
        self._corrections = (await rows(connection, "corrections"))[0]
        await self._look_at_sensors(connection)
        self._begin_readings(await typed(connection, "newest_readings", Reading))
        self._positions = positions

    def _begin_readings(self, found: Sequence[Reading]) -> None:
        """These are the newest of all sensors, and nothing else is known."""
        self.state.newest, self.state.latest = {}, None
        self.state.let_in(found)
        self.state.feed = _newest_first(found)[:FEED]

    async def _moved_logs(self, connection: Connection) -> Sequence[Any]:
        """What was stored since the last look: topic_no, partition, first, upto of a log.

        The ledger and a log's rows commit together, in the order of offsets: nothing is missed.
        """
        positions = self._positions or {}
        return await rows(
            connection,
            "moved",
            topic_nos=[topic_no for topic_no, _ in positions],
            partitions=[partition for _, partition in positions],
            positions=list(positions.values()),
        )

    async def _take(
        self, connection: Connection, moved: Sequence[Any]
    ) -> tuple[set[str], set[int]]:
        """Let these in: the parts that changed, and the indices of sensors with newer readings."""
        found = await typed(
            connection,
            "arrived_readings",
            Reading,
            topic_nos=[log.topic_no for log in moved],
            partitions=[log.partition for log in moved],
            firsts=[log.first for log in moved],
            uptos=[log.upto for log in moved],
        )
        assert self._positions is not None
        self._positions |= {(log.topic_no, log.partition): log.upto for log in moved}
        return await self._let_in(connection, found)

    async def _look_at_corrections(self, connection: Connection) -> tuple[set[str], set[int]]:
        """What replays of quarantine and rebuilds brought: they move no offset.

        They are rare, so all newest readings are looked at again. These replace what was known:
        a rebuild may have changed a reading, or found that there is none.
        """
        corrections = (await rows(connection, "corrections"))[0]
        if corrections == self._corrections:
            return set(), set()
        found = await typed(connection, "newest_readings", Reading)
        parts = await self._look_at_unknown(connection, found)
        known = self.state.newest
        self._begin_readings(found)
        self._corrections = corrections
        newest = self.state.newest
        differing = {each for each in known | newest if known.get(each) != newest.get(each)}
        return parts | {"feed"}, self._places(differing)

    async def _let_in(
        self, connection: Connection, found: Sequence[Reading]
    ) -> tuple[set[str], set[int]]:
        """Keep what is newer than what is known; what `_take` says of it."""
        parts = await self._look_at_unknown(connection, found)
        newer = [
            reading
            for reading in found
            if (known := self.state.newest.get(reading.sensor_id)) is None
            or (reading.timestamp >= known.timestamp and reading != known)
        ]
        if not newer:
            return parts, set()
        self.state.let_in(newer)
        # A reading that another has replaced is none any more.
        keys = {reading.key for reading in newer}
        others = [reading for reading in self.state.feed if reading.key not in keys]
        self.state.feed = [*_newest_first(newer), *others][:FEED]
        return parts | {"feed"}, self._places({reading.sensor_id for reading in newer})

    async def _look_at_unknown(self, connection: Connection, found: Sequence[Reading]) -> set[str]:
        """Read the list of sensors again where these are of one that is not in it; what changed."""
        if all(reading.sensor_id in self.state.index for reading in found):
            return set()
        return await self._look_at_sensors(connection)

    def _places(self, sensor_ids: Collection[UUID]) -> set[int]:
        """The indices of these sensors, of those that are in the list."""
        index = self.state.index
        return {index[sensor_id] for sensor_id in sensor_ids if sensor_id in index}

    async def _look_at_pipeline(self, connection: Connection) -> None:
        row = (await rows(connection, "pipeline"))[0]
        self.state.zone = row.timezone
        self.state.pipeline = Pipeline(
            row.now, row.lag, row.partitions, row.last_commit, row.delivered / _RATE_S
        )

    async def _look_at_quarantine(self, connection: Connection) -> None:
        self.state.quarantine = await typed(connection, "quarantine_reasons", Reason)

    def _begin_health(self) -> None:
        """Look at the last hour beside the steps: it may take seconds, and live values do not."""
        if self._health is None or self._health.done():
            self._health = asyncio.create_task(self._look_at_health(), name="traffic page health")

    async def _look_at_health(self) -> None:
        try:
            async with self._database().connection() as connection:
                states = await live_states(connection, self._settings)
        except Exception as error:
            known = isinstance(error, AWAY)
            text = "The page cannot look at the health of detectors, and tries again: %s"
            _log.warning(text, type(error).__name__, exc_info=None if known else error)
            return
        self.state.health = {
            state.counts.sensor_id: LiveHealth(state.state, state.seen) for state in states
        }
        self._finished.add("health")  # the next step tells it

    async def _look_at_sensors(self, connection: Connection) -> set[str]:
        """Read the list; what changed. Marks go by its order, so pages draw anew when it did."""
        found = await typed(connection, "sensors", Sensor)
        if found == self.state.sensors:
            return set()
        self.state.sensors = found
        self.state.index = {sensor.sensor_id: at for at, sensor in enumerate(found)}
        return {"sensors"}


def _newest_first(readings: Sequence[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda reading: reading.timestamp, reverse=True)
