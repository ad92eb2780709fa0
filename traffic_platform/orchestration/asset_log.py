"""Logging of materializations while a run goes on.

Dagster stores an event when it is logged, not when the step returns, so a window that is killed
leaves what it reported. Dagster's storage may be away while Kafka and the tables are not; events
then wait for the next report.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable

from dagster import AssetExecutionContext, AssetMaterialization

# Events that wait for Dagster's storage: three tables of eighteen years. Beyond it the oldest are
# dropped, since the audit rows hold everything that they would say.
MOST_PENDING = 20_000
# An event takes some 6 ms, and while they are stored the window neither fetches nor renews a lease.
FLUSH_SECONDS = 1.0
# At its end the window holds nothing any more, and has time; but not where the stack goes down,
# which waits 20 s for it.
LAST_FLUSH_SECONDS = 240.0
HURRIED_FLUSH_SECONDS = 15.0

# Not the run's own log: that is stored where the events are.
log = logging.getLogger(__name__)


class AssetLog:
    """Stores the asset events of one run."""

    def __init__(self, context: AssetExecutionContext) -> None:
        self._context = context
        self._pending: deque[AssetMaterialization] = deque(maxlen=MOST_PENDING)

    def add(self, events: Iterable[AssetMaterialization]) -> None:
        """Store the events of what was done since the last report, and any that still wait.

        For a second at most: of a history of many dates the rest waits for the next report.
        """
        self._pending.extend(events)
        self._flush(FLUSH_SECONDS)

    def finish(self, *, hurry: bool) -> None:
        """Store what still waits, at the end of the run."""
        self._flush(HURRIED_FLUSH_SECONDS if hurry else LAST_FLUSH_SECONDS)
        if self._pending:
            log.warning(
                "%d asset events were not stored; traffic.micro_batches holds what they say",
                len(self._pending),
            )

    def _flush(self, seconds: float) -> None:
        """Store the events that wait; a storage that is away leaves them waiting."""
        until = time.monotonic() + seconds
        try:
            while self._pending and time.monotonic() < until:
                self._context.log_event(self._pending[0])
                self._pending.popleft()
        except Exception as error:
            log.warning("Dagster's storage took no asset events yet: %s", error)
