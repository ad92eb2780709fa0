"""Materializations that a run logs while it goes on.

Dagster stores an event when it is logged, not when the step returns. So a run that is killed keeps
what it has reported. Dagster's storage may be unavailable while Kafka and the tables are not; the
events then wait for the next report.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable

from dagster import AssetExecutionContext, AssetMaterialization

# Events that wait for Dagster's storage: three tables of eighteen years. Beyond this the oldest
# are dropped, because the audit rows hold the same facts.
MOST_PENDING = 20_000
# An event takes some 6 ms, and meanwhile the run neither fetches messages nor renews its lease.
FLUSH_SECONDS = 1.0
# At its end the run holds no partition any more and can take its time, except when the stack is
# shutting down, which waits 20 s for it.
LAST_FLUSH_SECONDS = 240.0
HURRIED_FLUSH_SECONDS = 15.0

# Not the run's own logger: that one writes to the same storage as the events.
log = logging.getLogger(__name__)


class AssetLog:
    """Stores the asset events of one run."""

    def __init__(self, context: AssetExecutionContext) -> None:
        self._context = context
        self._pending: deque[AssetMaterialization] = deque(maxlen=MOST_PENDING)

    def add(self, events: Iterable[AssetMaterialization]) -> None:
        """Store new events and those that still wait, for at most a second.

        The events of a history of many dates need several reports.
        """
        self._pending.extend(events)
        self._flush(FLUSH_SECONDS)

    def finish(self, *, hurry: bool) -> None:
        """Store the waiting events at the end of the run."""
        self._flush(HURRIED_FLUSH_SECONDS if hurry else LAST_FLUSH_SECONDS)
        if self._pending:
            log.warning(
                "%d asset events were not stored in Dagster. The data is safe;"
                " traffic.micro_batches holds the same figures.",
                len(self._pending),
            )

    def _flush(self, seconds: float) -> None:
        """Store waiting events for so long; keep them if the storage does not answer."""
        until = time.monotonic() + seconds
        try:
            while self._pending and time.monotonic() < until:
                self._context.log_event(self._pending[0])
                self._pending.popleft()
        except Exception as error:
            log.warning("Dagster's storage did not accept an asset event; will retry: %s", error)
