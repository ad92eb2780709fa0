"""Locks of partitions: PostgreSQL advisory locks, each with a lease.

A killed process loses its locks with its connection. A stopped process (SIGSTOP, a frozen machine)
keeps them, so each holder renews a lease. A successor that finds the lease expired ends the
holder's connection and takes over. If all this fails, the ledger's compare-and-set keeps the data
correct.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

log = logging.getLogger(__name__)

_EXPIRY_CHECK_SECONDS = 1.0  # interval between two searches for expired holders


@dataclass(frozen=True)
class Holder:
    """The holder of a partition's lock; `alive` while its lease has not expired."""

    topic: str
    partition: int
    run_id: str | None
    renewed_at: datetime | None
    expires_at: datetime | None
    alive: bool


def read_holders(connection: Connection, topics: Sequence[str]) -> list[Holder]:
    """Return the current holders of the locks of these topics' partitions."""
    rows = connection.execute(statement("ledger/read_holders"), {"topics": list(topics)})
    return [Holder(*row) for row in rows.fetchall()]


@dataclass
class PartitionLocks:
    """The locks of one run, on the connection that also does its writes."""

    connection: Connection
    run_id: str | None
    lease_seconds: float
    _held: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    _renew_at: float = 0.0
    _check_expired_at: float = 0.0

    def try_acquire(self, wanted: Sequence[tuple[str, int]]) -> bool:
        """Take all wanted (topic, partition) locks, or none when another run holds one."""
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

    def acquire(self, wanted: Sequence[tuple[str, int]]) -> bool:
        """Do `try_acquire`; when it fails, end the connections of holders with expired leases."""
        if self.try_acquire(wanted):
            return True
        if time.monotonic() >= self._check_expired_at:
            self._check_expired_at = time.monotonic() + _EXPIRY_CHECK_SECONDS
            if self.end_expired_holders(sorted({topic for topic, _ in wanted})):
                log.warning("ended the connection of a lock holder whose lease had expired")
        return False

    def end_expired_holders(self, topics: Sequence[str]) -> int:
        """End the connections of holders with expired leases, and return their number."""
        rows = self.connection.execute(
            statement("ledger/end_expired_holders"),
            {"topics": list(topics), "lease_seconds": self.lease_seconds},
        )
        return len(rows.fetchall())

    def renew_if_due(self) -> None:
        """Renew the leases when a third of their time has passed."""
        if time.monotonic() >= self._renew_at:
            self.renew()

    def renew(self) -> None:
        """Extend the leases of this holder by `lease_seconds` from now."""
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
        """Release all locks; the leases end with them."""
        for topic, partition in self._held:
            self.connection.execute(
                statement("ledger/unlock"), {"topic": topic, "partition": partition}
            )
        self._held.clear()
