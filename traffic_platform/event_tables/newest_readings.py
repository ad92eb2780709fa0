"""The newest reading of each sensor that the table may hold.

Detectors report in order, so nearly every event is newer than all stored readings of its sensor.
Its reading cannot be in the table yet and is copied. Every other event (late, repeated, or of a
sensor not looked up yet) takes the upsert, which costs about a third more. A time remembered here
is too early when another run writes the same sensor. Then the primary key rejects the copy, and
the batch is written again by upsert alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

_LIMIT = 200_000  # sensors; beyond this number all are looked up again
_UNKNOWN = np.iinfo(np.int64).max  # no event is newer, so the upsert decides


class NewestReadings:
    """Times of newest readings (microseconds since 1970 UTC), by the bytes of sensors' UUIDs."""

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}
        self._pending: dict[bytes, int] = {}  # from built batches, of sensors not looked up yet
        self._lock = threading.Lock()  # one thread builds batches while another looks sensors up

    def split(
        self, sensor_id: npt.NDArray[np.uint8], timestamp_us: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Return a mask of the readings that are certainly new, and remember them as stored.

        `sensor_id` is (n, 16). Rows are sorted by sensor, then time.
        """
        if len(timestamp_us) == 0:
            return np.zeros(0, dtype=np.bool_)
        halves = sensor_id.view(np.uint64).reshape(-1, 2)
        changes = (halves[1:] != halves[:-1]).any(axis=1)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
        ends = np.append(starts[1:], len(timestamp_us))
        keys = [sensor_id[start].tobytes() for start in starts]
        with self._lock:
            newest_us = [self._newest.get(key, _UNKNOWN) for key in keys]
            for key, newest, last in zip(
                keys, newest_us, timestamp_us[ends - 1].tolist(), strict=True
            ):
                if newest == _UNKNOWN:
                    self._pending[key] = max(last, self._pending.get(key, last))
                elif newest < last:
                    self._newest[key] = last
        return timestamp_us > np.repeat(np.array(newest_us, dtype=np.int64), ends - starts)

    def unknown(self, sensors: Iterable[bytes]) -> list[bytes]:
        """Return the sensors to look up."""
        with self._lock:
            if len(self._newest) + len(self._pending) > _LIMIT:
                # A reading may then pass as new although a pending batch holds it. The primary key
                # rejects it, as it rejects a reading of another run.
                self._newest.clear()
                self._pending.clear()
        return [key for key in sensors if key not in self._newest]

    def look_up(self, connection: Connection, sensors: list[bytes]) -> None:
        """Read the newest readings of these sensors from the table."""
        if not sensors:
            return
        ids = {"ids": [key.hex() for key in sensors]}
        rows = connection.execute(statement("event_tables/newest_readings"), ids).fetchall()
        with self._lock:
            for sensor_id, microseconds in rows:
                stored = int(microseconds)
                pending = self._pending.pop(sensor_id.bytes, stored)
                self._newest.setdefault(sensor_id.bytes, max(stored, pending))

    def forget(self) -> None:
        """Look all sensors up again, because another run writes them too."""
        with self._lock:
            self._pending |= self._newest
            self._newest.clear()
