"""The newest reading that the table may hold of each sensor.

Detectors report in order, so nearly every event is newer than all that is known of its sensor:
its reading cannot be there yet and is copied straight into the table. Everything else (late,
repeated, of a sensor not looked up yet) takes the upsert, which costs about a third more. What is
remembered here may be too low when another window writes the same sensor: the primary key then
refuses the copy, and the batch is stored again by upsert alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from traffic_platform.statements import statement

_LIMIT = 200_000  # sensors; beyond, all are looked up again
_UNKNOWN = np.iinfo(np.int64).max  # nothing is newer than this: the upsert decides


class NewestReadings:
    """By the bytes of a sensor's UUID, microseconds since 1970 UTC of its newest reading."""

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}
        self._in_hand: dict[bytes, int] = {}  # of sensors not looked up yet, from batches built
        self._lock = threading.Lock()  # one thread builds batches while another looks up

    def split(
        self, sensor_id: npt.NDArray[np.uint8], timestamp_us: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Which of these readings are new for certain. Rows are sorted by sensor, then time.

        `sensor_id` is (n, 16). Counts them as there from now on.
        """
        if len(timestamp_us) == 0:
            return np.zeros(0, dtype=np.bool_)
        halves = sensor_id.view(np.uint64).reshape(-1, 2)
        changes = (halves[1:] != halves[:-1]).any(axis=1)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1))
        ends = np.append(starts[1:], len(timestamp_us))
        keys = [sensor_id[start].tobytes() for start in starts]
        with self._lock:
            known = [self._newest.get(key, _UNKNOWN) for key in keys]
            for key, newest, last in zip(keys, known, timestamp_us[ends - 1].tolist(), strict=True):
                if newest == _UNKNOWN:
                    self._in_hand[key] = max(last, self._in_hand.get(key, last))
                elif newest < last:
                    self._newest[key] = last
        return timestamp_us > np.repeat(np.array(known, dtype=np.int64), ends - starts)

    def unknown(self, sensors: Iterable[bytes]) -> list[bytes]:
        """Those sensors that have to be looked up."""
        with self._lock:
            if len(self._newest) + len(self._in_hand) > _LIMIT:
                # A reading that is taken for new although a batch in hand has it is refused by the
                # primary key, like one of another window.
                self._newest.clear()
                self._in_hand.clear()
        return [key for key in sensors if key not in self._newest]

    def look_up(self, connection: psycopg.Connection[Any], sensors: list[bytes]) -> None:
        """Learn the newest readings of these sensors from the table."""
        if not sensors:
            return
        ids = {"ids": [key.hex() for key in sensors]}
        rows = connection.execute(statement("event_tables/newest_readings"), ids).fetchall()
        with self._lock:
            for sensor_id, microseconds in rows:
                stored = int(microseconds)
                in_hand = self._in_hand.pop(sensor_id.bytes, stored)
                self._newest.setdefault(sensor_id.bytes, max(stored, in_hand))

    def forget(self) -> None:
        """Look everything up again: another window writes these sensors too."""
        with self._lock:
            self._in_hand |= self._newest
            self._newest.clear()
