"""The second half of a window's work: one batch at a time into PostgreSQL, beside the first half.

While a batch is stored (PostgreSQL works, Python waits), the session fetches and encodes the next
one. A single thread stores, so that batches commit in order; the first error ends the session, and
what was built after it is thrown away with it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
from psycopg import errors as pg

from traffic_platform.event_tables.batch import Batch
from traffic_platform.event_tables.newest_readings import NewestReadings
from traffic_platform.event_tables.retries import Retries
from traffic_platform.event_tables.write import Tables
from traffic_platform.events.rules import Rules
from traffic_platform.faults import fault_points
from traffic_platform.ledger.offsets import Connection
from traffic_platform.ledger.partition_locks import PartitionLocks

log = logging.getLogger(__name__)

_IDS_AT_A_TIME = 64
_SENSORS_AT_A_TIME = 1_000  # looked up in a statement: a second, where years of partitions are

# Asks Kafka whether topics still have these identities; see Broker.ask_whether_same.
AskWhetherSame = Callable[[Mapping[str, str]], Callable[[], None]]


class BatchWriter:
    """Stores batches over one connection, which nobody else may use while `busy`."""

    def __init__(
        self,
        connection: Connection,
        locks: PartitionLocks,
        ask_whether_same: AskWhetherSame,
        *,
        run_id: str | None,
        rules: Rules,
    ) -> None:
        self._connection = connection
        self._locks = locks
        self._ask_whether_same = ask_whether_same
        self._run_id = run_id
        self._rules_version = rules.version
        self._tables = Tables(connection, rules.unknown_sensors)
        self._passed = fault_points()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traffic-store")
        self._pending: Future[Batch] | None = None
        self._batch_ids: deque[int] = deque()
        self.newest = NewestReadings()

    @property
    def busy(self) -> bool:
        """Whether a batch is being stored at this moment."""
        return self._pending is not None and not self._pending.done()

    def next_batch_id(self) -> int:
        """A number that no other batch has or will have."""
        if not self._batch_ids:
            # Only before the first batch: later ones find what `_store` has fetched ahead.
            self._batch_ids.extend(self._tables.reserve_batch_ids(_IDS_AT_A_TIME))
        return self._batch_ids.popleft()

    def submit(self, batch: Batch, identities: dict[str, str]) -> None:
        """Begin to store a batch; `settle` must have returned since the last one."""
        assert self._pending is None, "one batch at a time"
        self._pending = self._thread.submit(self._store, batch, identities)

    def settle(self) -> Batch | None:
        """Wait for the batch in hand and return it; raises what went wrong with it."""
        pending, self._pending = self._pending, None
        try:
            return pending.result() if pending is not None else None
        finally:
            # An error's traceback holds this frame, which would hold the error: a batch would stay
            # until cycles are looked for, which is rarely.
            del pending

    def close(self) -> None:
        """Wait for the batch in hand, whatever becomes of it."""
        self._thread.shutdown(wait=True)

    def _store(self, batch: Batch, identities: dict[str, str]) -> Batch:
        self._locks.renew_if_due()
        if len(self._batch_ids) < _IDS_AT_A_TIME // 2:
            self._batch_ids.extend(self._tables.reserve_batch_ids(_IDS_AT_A_TIME))
        self._commit(batch, identities)
        self._look_ahead(batch)
        return batch

    def _look_ahead(self, batch: Batch) -> None:
        """Learn the newest readings of sensors met for the first time, for later batches.

        The batch is committed and counts, whatever becomes of this.
        """
        unknown = self.newest.unknown(batch.sensors)
        try:
            for start in range(0, len(unknown), _SENSORS_AT_A_TIME):
                some = unknown[start : start + _SENSORS_AT_A_TIME]
                self.newest.look_up(self._connection, some)
                self._locks.renew_if_due()
        except psycopg.Error as error:
            log.info("the newest readings were not looked up: %s", error)

    def _commit(self, batch: Batch, identities: dict[str, str]) -> None:
        upsert_all, retries = False, Retries(self._tables, f"batch {batch.batch_id}")
        while True:
            self._locks.renew_if_due()
            self._tables.prepare(batch)
            require_same_topics = self._ask_whether_same(identities)
            try:
                with self._connection.transaction():
                    self._tables.store(
                        batch, self._run_id, self._rules_version, upsert_all=upsert_all
                    )
                    require_same_topics()
                    self._passed("before_database_commit")
            except pg.UniqueViolation:
                if upsert_all:
                    raise
                upsert_all = True
                self.newest.forget()
            except psycopg.Error as error:
                retries.after(error)
            else:
                break
        self._passed("after_database_commit")
