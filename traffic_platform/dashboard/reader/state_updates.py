"""Queries that keep the reader's state current."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.sensors.detector_states import live_states
from traffic_platform.dashboard.reader.sensors import LiveHealth, Pipeline, Reading, Reason, Sensor
from traffic_platform.dashboard.reader.state import Change, State
from traffic_platform.dashboard.shared.queries import UNAVAILABLE, rows, typed
from traffic_platform.settings import Settings

SLOW_S = 5.0  # between reads of quarantine and corrections, and updates of ages
_HEALTH_S = 20.0  # between reads of detector health and of the list of sensors
MINUTE_S = 60.0  # between redraws of pages that show a running day
FEED = 14  # newest readings that the overview lists

_log = logging.getLogger(__name__)


class StateUpdates:
    """Reads of one state. The ledger tells which partitions have new readings."""

    def __init__(self, state: State, settings: Settings, database: Callable[[], Database]) -> None:
        self._state = state
        self._settings = settings
        self._database = database
        self._health: asyncio.Task[None] | None = None
        self.restart()

    def restart(self) -> None:
        """Read everything with the next call of `read`: changes may have been missed."""
        self._positions: dict[tuple[int, int], int] | None = None
        self._corrections: Any = None
        self._next_slow = self._next_health = 0.0
        self._next_minute = time.monotonic() + MINUTE_S
        self._health_is_new = False

    def cancel(self) -> None:
        """End the task that reads detector health."""
        if self._health is not None:
            self._health.cancel()

    async def read(self, connection: Connection) -> Change:
        """Read everything that is due, and return the change. Raises psycopg.Error."""
        parts, sensors = {"pipeline"}, set[int]()
        is_first = self._positions is None
        if self._positions is None:
            await self._read_all(connection)
            parts |= {"sensors", "feed"}
        elif advanced := await _advanced_partitions(connection, self._positions):
            more, sensors = await self._read_arrived(connection, advanced)
            parts |= more
        await self._read_pipeline(connection)
        if time.monotonic() >= self._next_slow:
            self._next_slow = time.monotonic() + SLOW_S
            self._state.quarantine = await typed(connection, "reader/quarantine_reasons", Reason)
            if not is_first:
                more, corrected = await self._read_corrections(connection)
                parts, sensors = parts | more, sensors | corrected
            parts |= {"quarantine", "ages"}
        # The first page does not wait for the slowest query.
        if not is_first and time.monotonic() >= self._next_health:
            self._next_health = time.monotonic() + _HEALTH_S
            parts |= await self._read_sensors(connection)
            self._start_health()
        if time.monotonic() >= self._next_minute:
            self._next_minute = time.monotonic() + MINUTE_S
            parts.add("minute")
        if self._health_is_new:
            self._health_is_new = False
            parts.add("health")
        return Change(frozenset(parts), frozenset(sensors))

    async def _read_all(self, connection: Connection) -> None:
        """Read every sensor and its newest reading."""
        # The positions come first: a reading stored after them may be read twice, but never missed.
        stored = await _advanced_partitions(connection, {})
        self._corrections = (await rows(connection, "reader/corrections"))[0]
        await self._read_sensors(connection)
        self._replace_newest(await typed(connection, "reader/newest_readings", Reading))
        self._positions = _ends(stored)

    def _replace_newest(self, found: Sequence[Reading]) -> None:
        """Forget all readings but these, the newest of all sensors."""
        self._state.newest, self._state.latest = {}, None
        self._state.add_newest(found)
        self._state.feed = _newest_first(found)[:FEED]

    async def _read_arrived(
        self, connection: Connection, advanced: Sequence[Any]
    ) -> tuple[set[str], set[int]]:
        """Read new readings; return the changed parts and the indices of the changed sensors."""
        found = await typed(
            connection,
            "reader/arrived_readings",
            Reading,
            topic_nos=[stretch.topic_no for stretch in advanced],
            partitions=[stretch.partition for stretch in advanced],
            firsts=[stretch.first for stretch in advanced],
            uptos=[stretch.upto for stretch in advanced],
        )
        assert self._positions is not None
        self._positions |= _ends(advanced)
        parts = await self._read_unknown_sensors(connection, found)
        newer = [
            reading
            for reading in found
            if (known := self._state.newest.get(reading.sensor_id)) is None
            or (reading.timestamp >= known.timestamp and reading != known)
        ]
        if not newer:
            return parts, set()
        self._state.add_newest(newer)
        # A reading that was replaced leaves the feed.
        keys = {reading.key for reading in newer}
        others = [reading for reading in self._state.feed if reading.key not in keys]
        self._state.feed = [*_newest_first(newer), *others][:FEED]
        return parts | {"feed"}, self._indices({reading.sensor_id for reading in newer})

    async def _read_corrections(self, connection: Connection) -> tuple[set[str], set[int]]:
        """Read all newest readings again after reprocessing or a backfill; return as above.

        These advance no offset and are rare. They may change or remove a reading, so the result
        replaces the known readings.
        """
        corrections = (await rows(connection, "reader/corrections"))[0]
        if corrections == self._corrections:
            return set(), set()
        found = await typed(connection, "reader/newest_readings", Reading)
        parts = await self._read_unknown_sensors(connection, found)
        known = self._state.newest
        self._replace_newest(found)
        self._corrections = corrections
        newest = self._state.newest
        changed = {each for each in known | newest if known.get(each) != newest.get(each)}
        return parts | {"feed"}, self._indices(changed)

    async def _read_unknown_sensors(
        self, connection: Connection, found: Sequence[Reading]
    ) -> set[str]:
        """Read the list of sensors if a reading belongs to an unknown one; return changed parts."""
        if all(reading.sensor_id in self._state.index for reading in found):
            return set()
        return await self._read_sensors(connection)

    async def _read_sensors(self, connection: Connection) -> set[str]:
        """Read the list of sensors; return changed parts. Marks refer to the order of this list."""
        found = await typed(connection, "reader/sensors", Sensor)
        if found == self._state.sensors:
            return set()
        self._state.sensors = found
        self._state.index = {sensor.sensor_id: index for index, sensor in enumerate(found)}
        return {"sensors"}

    def _indices(self, sensor_ids: Collection[UUID]) -> set[int]:
        index = self._state.index
        return {index[sensor_id] for sensor_id in sensor_ids if sensor_id in index}

    async def _read_pipeline(self, connection: Connection) -> None:
        (pipeline,) = await typed(connection, "reader/pipeline", Pipeline)
        self._state.zone, self._state.pipeline = pipeline.timezone, pipeline

    def _start_health(self) -> None:
        """Read detector health in a task of its own: it takes seconds, and live values go first."""
        if self._health is None or self._health.done():
            self._health = asyncio.create_task(self._read_health(), name="traffic page health")

    async def _read_health(self) -> None:
        try:
            async with self._database().connection() as connection:
                states = await live_states(connection, self._settings)
        except Exception as error:
            expected = isinstance(error, UNAVAILABLE)
            text = "The dashboard cannot read detector health and retries: %s"
            _log.warning(text, type(error).__name__, exc_info=None if expected else error)
            return
        self._state.health = {
            state.counts.sensor_id: LiveHealth(state.state, state.seen) for state in states
        }
        self._health_is_new = True


async def _advanced_partitions(
    connection: Connection, positions: Mapping[tuple[int, int], int]
) -> Sequence[Any]:
    """Return the stretches stored since these offsets: topic_no, partition, first, upto."""
    return await rows(
        connection,
        "reader/advanced_partitions",
        topic_nos=[topic_no for topic_no, _ in positions],
        partitions=[partition for _, partition in positions],
        positions=list(positions.values()),
    )


def _ends(stretches: Sequence[Any]) -> dict[tuple[int, int], int]:
    return {(stretch.topic_no, stretch.partition): stretch.upto for stretch in stretches}


def _newest_first(readings: Sequence[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda reading: reading.timestamp, reverse=True)
