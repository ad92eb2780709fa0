"""Registered sensors, for platforms that quarantine events of unknown sensors.

A registered sensor is remembered for good: one with readings cannot be deleted, and for any other
the foreign key fails. An absent sensor is remembered for two seconds only, since an import may
register it at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import psycopg

from traffic_platform.statements import statement

ABSENT_SECONDS = 2.0
_MOST_REMEMBERED = 500_000

LookUp = Callable[[Collection[bytes]], set[bytes]]


def registered(connection: psycopg.Connection[Any], sensors: Collection[bytes]) -> set[bytes]:
    """Those of these sensors that the table holds."""
    ids = {"ids": [key.hex() for key in sensors]}
    rows = connection.execute(statement("sensors/registered_sensors"), ids).fetchall()
    return {row[0].bytes for row in rows}


class KnownSensors:
    """Sensors by the bytes of their UUIDs, looked up when they are first met."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._present: set[bytes] = set()
        self._absent_until: dict[bytes, float] = {}

    def unknown(self, sensors: Collection[bytes]) -> set[bytes]:
        """Those that are not registered."""
        others = {key for key in sensors if key not in self._present}
        now = time.monotonic()
        asked = {key for key in others if self._absent_until.get(key, 0.0) <= now}
        if not asked:
            return others
        found = self._look_up(asked)
        if len(self._present) > _MOST_REMEMBERED:
            self._present.clear()
        if len(self._absent_until) > _MOST_REMEMBERED:
            self._absent_until.clear()
        self._present |= found
        self._absent_until |= dict.fromkeys(asked - found, time.monotonic() + ABSENT_SECONDS)
        return others - found
