"""The one reader of the process: it asks PostgreSQL for all open pages, while there are any."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from nicegui import Event

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.detectors import live_states
from traffic_platform.dashboard.model import (
    Change,
    LiveHealth,
    Pipeline,
    Reading,
    Reason,
    Sensor,
    State,
)
from traffic_platform.dashboard.operator_tables import Mark
from traffic_platform.dashboard.queries import rows, typed
from traffic_platform.dashboard.screen import Screen
from traffic_platform.settings import Settings

# From commit to changed pixel: at most this, and what a browser needs.
POLL_S = 0.4
_SLOW_S = 5.0  # quarantine, and whether readings have grown old
_HEALTH_S = 20.0  # health, and the list of sensors
_LINGER_S = 15.0  # a page that was asked for but has not opened yet
_RATE_S = 60.0
_STRAGGLERS_S = 10.0  # batches get their number before they are committed
FEED = 14

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Batch:
    batch_id: int
    committed_at: datetime
    delivered: int
    processed: int
    quarantined: int


class Reader:
    """Keeps `state` true while pages look at it; `changed` tells them what is new.

    Pages subscribe to `changed`, which ends with them, and show what `screen` has made
    for all. Without a subscriber nothing is read.
    """

    def __init__(self, settings: Settings, database: Callable[[], Database]) -> None:
        self.state = State(zone=settings.timezone)
        self.screen = Screen()
        self.changed: Event[Change, list[Mark]] = Event()
        self._settings = settings
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._wanted_until = 0.0
        self._known = asyncio.Event()
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
        self._seen: set[int] = set()
        self._batches: deque[_Batch] = deque()
        self._first: int | None = None
        self._next_slow = self._next_health = 0.0

    async def _read(self) -> None:
        while self.changed.callbacks or time.monotonic() < self._wanted_until:
            started = time.monotonic()
            await self._step()
            self._known.set()
            await asyncio.sleep(max(0.05, POLL_S - (time.monotonic() - started)))

    async def _step(self) -> None:
        try:
            async with asyncio.timeout(20), self._database().connection() as connection:
                change = await self._look(connection)
        except (psycopg.OperationalError, OSError, TimeoutError) as error:
            self._report(error)
            return
        if self.state.problem is not None:
            self.state.problem = None
            change = Change(change.parts | {"problem"}, change.sensors)
        self._tell(change)

    def _report(self, error: Exception) -> None:
        if self.state.problem is None:
            _log.warning("The page cannot read PostgreSQL: %s", type(error).__name__)
            since = datetime.now(UTC)
            self.state.problem = since.isoformat()
            self._forget()
        self._tell(Change(frozenset({"problem"}), frozenset()))

    def _tell(self, change: Change) -> None:
        self.changed.emit(change, self.screen.refresh(self.state, change))

    async def _look(self, connection: Connection) -> Change:
        parts, sensors = {"pipeline"}, set[int]()
        first_look = self._first is None
        if first_look:
            await self._begin(connection)
            parts |= {"sensors", "feed"}
        fresh = await self._new_batches(connection)
        if fresh and not first_look:
            sensors = await self._take(connection, fresh)
            parts |= {"feed"} if sensors else set()
        await self._look_at_pipeline(connection)
        if time.monotonic() >= self._next_slow:
            self._next_slow = time.monotonic() + _SLOW_S
            await self._look_at_quarantine(connection)
            parts |= {"quarantine", "ages"}
        # A first page need not wait for what takes longest.
        if not first_look and time.monotonic() >= self._next_health:
            self._next_health = time.monotonic() + _HEALTH_S
            parts |= await self._look_at_health(connection)
        return Change(frozenset(parts), frozenset(sensors))

    async def _begin(self, connection: Connection) -> None:
        """Every sensor and its newest reading; later only what new batches bring."""
        row = (await rows(connection, "newest_batch"))[0]
        self._first = row.first
        self._seen = set()
        await self._new_batches(connection)
        await self._look_at_sensors(connection)
        found = await typed(connection, "newest_readings", Reading)
        self.state.newest, self.state.latest = {}, None
        self.state.let_in(found)
        self.state.feed = sorted(found, key=lambda reading: reading.timestamp)[: -FEED - 1 : -1]

    async def _new_batches(self, connection: Connection) -> list[int]:
        """Numbers of batches that were not there at the last look."""
        found = await typed(connection, "batches", _Batch, first=self._first)
        fresh = [batch for batch in found if batch.batch_id not in self._seen]
        self._seen |= {batch.batch_id for batch in fresh}
        self._batches.extend(fresh)
        if found:
            newest = max(batch.committed_at for batch in found)
            settled = [
                batch.batch_id
                for batch in found
                if (newest - batch.committed_at).total_seconds() > _STRAGGLERS_S
            ]
            self._first = max(settled, default=self._first)
            self._seen = {number for number in self._seen if number >= (self._first or 0)}
        return [batch.batch_id for batch in fresh if batch.processed > 0]

    async def _take(self, connection: Connection, batches: list[int]) -> set[int]:
        """Let these batches in: indices of the sensors that have something newer now."""
        found = await typed(connection, "batch_readings", Reading, batches=batches)
        if any(reading.sensor_id not in self.state.index for reading in found):
            await self._look_at_sensors(connection)
        newer = [
            reading
            for reading in found
            if (known := self.state.newest.get(reading.sensor_id)) is None
            or reading.timestamp >= known.timestamp
        ]
        self.state.let_in(newer)
        newest_first = sorted(newer, key=lambda reading: reading.timestamp, reverse=True)
        self.state.feed = [*newest_first, *self.state.feed][:FEED]
        index = self.state.index
        return {index[reading.sensor_id] for reading in newer if reading.sensor_id in index}

    async def _look_at_pipeline(self, connection: Connection) -> None:
        row = (await rows(connection, "pipeline"))[0]
        self.state.zone = row.timezone
        while self._batches and (row.now - self._batches[0].committed_at).total_seconds() > _RATE_S:
            self._batches.popleft()
        delivered = sum(batch.delivered for batch in self._batches)
        self.state.pipeline = Pipeline(
            row.now, row.lag, row.partitions, row.last_commit, delivered / _RATE_S
        )

    async def _look_at_quarantine(self, connection: Connection) -> None:
        self.state.quarantine = await typed(connection, "quarantine_reasons", Reason)

    async def _look_at_health(self, connection: Connection) -> set[str]:
        states = await live_states(connection, self._settings)
        self.state.health = {
            state.counts.sensor_id: LiveHealth(state.state, state.seen) for state in states
        }
        changed = await self._look_at_sensors(connection)
        return {"health", "sensors"} if changed else {"health"}

    async def _look_at_sensors(self, connection: Connection) -> bool:
        found = await typed(connection, "sensors", Sensor)
        if found == self.state.sensors:
            return False
        self.state.sensors = found
        self.state.index = {sensor.sensor_id: at for at, sensor in enumerate(found)}
        return True
