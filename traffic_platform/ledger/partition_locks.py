"""Who drains a partition: an advisory lock of PostgreSQL, with a lease that outlives no holder.

A killed process loses its locks with its connection. One that is stopped (SIGSTOP, a frozen
machine) keeps them, so the holder renews a lease; a successor that finds it expired ends the
holder's connection and takes over. The compare-and-set of the ledger stays right when all fails.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from traffic_platform.statements import statement

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0  # between two looks for holders whose lease has expired

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Holder:
    """Who holds a partition's lock; `alive` while its lease has not expired."""

    topic: str
    partition: int
    run_id: str | None
    renewed_at: datetime | None
    expires_at: datetime | None
    alive: bool


def read_holders(connection: Connection, topics: Sequence[str]) -> list[Holder]:
    """The holders of the locks of these topics' partitions at this moment."""
    rows = connection.execute(statement("ledger/read_holders"), {"topics": list(topics)})
    return [Holder(*row) for row in rows.fetchall()]


@dataclass
class PartitionLocks:
    """The locks of one window, on the connection that also does its writes."""

    connection: Connection
    run_id: str | None
    lease_seconds: float
    _held: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    _renew_at: float = 0.0
    _look_at: float = 0.0

    def try_acquire(self, wanted: Sequence[tuple[str, int]]) -> bool:
        """Take all wanted (topic, partition) locks or none; False: another window holds one."""
        for topic, partition in sorted(wanted):
            row = self.connection.execute(
                statement("ledger/try_lock"), {"topic": topic, "partition": partition}
            ).fetchone()
            if row is None or not row[0]:
                self.release()
                return False
            self._held.append((topic, partition))
        self.renew()
        return True

    def take(self, wanted: Sequence[tuple[str, int]]) -> bool:
        """Like `try_acquire`; where that fails, holders whose lease has expired are ended."""
        if self.try_acquire(wanted):
            return True
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_SECONDS
            if self.end_expired_holders(sorted({topic for topic, _ in wanted})):
                log.warning("ended a holder that had stopped renewing its lease")
        return False

    def end_expired_holders(self, topics: Sequence[str]) -> int:
        """End the connections of holders whose lease has expired; how many there were."""
        rows = self.connection.execute(
            statement("ledger/end_expired_holders"),
            {"topics": list(topics), "lease_seconds": self.lease_seconds},
        )
        return len(rows.fetchall())

    def renew_if_due(self) -> None:
        """Renew the lease when a third of it has passed."""
        if time.monotonic() >= self._renew_at:
            self.renew()

    def renew(self) -> None:
        """Say that this holder is alive for another `lease_seconds`."""
        self._renew_at = time.monotonic() + self.lease_seconds / 3
        if self._held:
            self.connection.execute(
                statement("ledger/renew_leases"),
                {
                    "topics": [topic for topic, _ in self._held],
                    "partitions": [partition for _, partition in self._held],
                    "run_id": self.run_id,
                    "lease_seconds": self.lease_seconds,
                },
            )

    def release(self) -> None:
        """Give all locks back; the leases end with them."""
        for topic, partition in self._held:
            self.connection.execute(
                statement("ledger/unlock"), {"topic": topic, "partition": partition}
            )
        self._held.clear()
