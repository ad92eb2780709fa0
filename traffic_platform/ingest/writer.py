"""The writer of an ingest run: writes one batch at a time, in a thread beside the session.

While a batch is written (PostgreSQL works, Python waits), the session polls and encodes the next
one. A single thread writes, so that batches commit in order. The first error ends the session, and
every batch built after it is discarded.
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
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.postgres.connections import Connection

log = logging.getLogger(__name__)

_IDS_PER_RESERVATION = 64
_SENSORS_PER_LOOK_UP = 1_000  # sensors; a look-up takes a second over years of partitions

# Asks Kafka whether topics still have these ids; see Broker.ask_whether_same.
AskWhetherSame = Callable[[Mapping[str, str]], Callable[[], None]]


class BatchWriter:
    """Write batches over one connection, which nothing else may use while `busy`."""

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traffic-write")
        self._pending: Future[Batch] | None = None
        self._batch_ids: deque[int] = deque()
        self.newest = NewestReadings()

    @property
    def busy(self) -> bool:
        """True while a batch is being written."""
        return self._pending is not None and not self._pending.done()

    def next_batch_id(self) -> int:
        """Return a number that no other batch has or will have."""
        if not self._batch_ids:
            # Only before the first batch; `_write` reserves numbers for later ones.
            self._batch_ids.extend(self._tables.reserve_batch_ids(_IDS_PER_RESERVATION))
        return self._batch_ids.popleft()

    def submit(self, batch: Batch, identities: dict[str, str]) -> None:
        """Begin to write a batch; `settle` must have returned since the last one."""
        assert self._pending is None, "one batch at a time"
        self._pending = self._thread.submit(self._write, batch, identities)

    def settle(self) -> Batch | None:
        """Await the submitted batch and return it, or raise its error; None without a batch."""
        pending, self._pending = self._pending, None
        try:
            return pending.result() if pending is not None else None
        finally:
            # An error's traceback refers to this frame, and the frame would refer to the error.
            # Garbage collection is rare here, so the cycle would keep a batch in memory.
            del pending

    def close(self) -> None:
        """Wait for the submitted batch to succeed or fail."""
        self._thread.shutdown(wait=True)

    def _write(self, batch: Batch, identities: dict[str, str]) -> Batch:
        self._locks.renew_if_due()
        if len(self._batch_ids) < _IDS_PER_RESERVATION // 2:
            self._batch_ids.extend(self._tables.reserve_batch_ids(_IDS_PER_RESERVATION))
        self._commit(batch, identities)
        self._look_up_newest(batch)
        return batch

    def _look_up_newest(self, batch: Batch) -> None:
        """Look up the newest readings of the batch's new sensors, for later batches.

        The batch is already committed, so an error of the database is only logged.
        """
        unknown = self.newest.unknown(batch.sensors)
        try:
            for start in range(0, len(unknown), _SENSORS_PER_LOOK_UP):
                self.newest.look_up(self._connection, unknown[start : start + _SENSORS_PER_LOOK_UP])
                self._locks.renew_if_due()
        except psycopg.Error as error:
            log.info("could not look up the newest readings: %s", error)

    def _commit(self, batch: Batch, identities: dict[str, str]) -> None:
        upsert_all, retries = False, Retries(self._tables, f"batch {batch.batch_id}")
        while True:
            self._locks.renew_if_due()
            self._tables.prepare(batch)
            require_same_topics = self._ask_whether_same(identities)
            try:
                with self._connection.transaction():
                    self._tables.write(
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
