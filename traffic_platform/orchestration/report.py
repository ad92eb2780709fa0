"""Logging of a window's materializations while it runs.

Dagster stores an event when it is logged, not when the step returns, so a window that is killed
leaves what it reported. Dagster's storage may be away while Kafka and the tables are not; events
then wait for the next report.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from dagster import AssetExecutionContext, AssetMaterialization

from traffic_platform.orchestration.materializations import window_materializations

if TYPE_CHECKING:
    from traffic_platform.ingest.totals import WindowTotals

# Events that wait for Dagster's storage; beyond it the oldest are dropped, since the audit rows
# hold everything that they would say.
MOST_PENDING = 300

# Not the run's own log: that is stored where the events are.
log = logging.getLogger(__name__)


class WindowReport:
    """Stores the asset events of one run."""

    def __init__(self, context: AssetExecutionContext) -> None:
        self._context = context
        self._pending: deque[AssetMaterialization] = deque(maxlen=MOST_PENDING)

    def log(self, totals: WindowTotals) -> None:
        """Store the events of what was done since the last report, and any that still wait."""
        self._pending.extend(window_materializations(totals, self._context.run_id))
        self.flush()

    def flush(self) -> None:
        """Store the events that wait; a storage that is away leaves them waiting."""
        try:
            while self._pending:
                self._context.log_event(self._pending[0])
                self._pending.popleft()
        except Exception as error:
            log.warning("Dagster's storage took no asset events yet: %s", error)
