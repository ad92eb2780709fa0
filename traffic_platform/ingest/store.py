"""The second half of a window's work: one batch at a time into PostgreSQL, beside the first half.

While a batch is stored (PostgreSQL works, Python waits), the session fetches and encodes the next
one. A single thread stores, so that batches commit in order; the first error ends the session, and
what was built after it is thrown away with it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from psycopg import errors as pg

from traffic_platform.ingest.batch import Batch
from traffic_platform.ingest.errors import TopicChangedError
from traffic_platform.ingest.faults import fault_points
from traffic_platform.ingest.ledger import Connection
from traffic_platform.ingest.locks import PartitionLocks
from traffic_platform.ingest.newest import NewestReadings
from traffic_platform.ingest.tables import Tables

log = logging.getLogger(__name__)

_RETRIED_IN_PLACE = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
_TRIES = 5
_IDS_AT_A_TIME = 64

IdentityOf = Callable[[str], str | None]  # a topic's name to Kafka's identity of it now


class Storer:
    """Stores batches over one connection, which nobody else may use while `busy`."""

    def __init__(
        self,
        connection: Connection,
        locks: PartitionLocks,
        identity_of: IdentityOf,
        *,
        run_id: str | None,
        rules_version: str,
    ) -> None:
        self._connection = connection
        self._locks = locks
        self._identity_of = identity_of
        self._run_id = run_id
        self._rules_version = rules_version
        self._tables = Tables(connection)
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
        return pending.result() if pending is not None else None

    def close(self) -> None:
        """Wait for the batch in hand, whatever becomes of it."""
        self._thread.shutdown(wait=True)

    def _store(self, batch: Batch, identities: dict[str, str]) -> Batch:
        self._locks.renew_if_due()
        if len(self._batch_ids) < _IDS_AT_A_TIME // 2:
            self._batch_ids.extend(self._tables.reserve_batch_ids(_IDS_AT_A_TIME))
        self._check_identity(identities)
        self._commit(batch)
        self.newest.look_up(self._connection, self.newest.unknown(batch.sensors))
        return batch

    def _check_identity(self, identities: dict[str, str]) -> None:
        """A consumer goes on reading, in silence, a topic that was deleted and made again."""
        for name, known in identities.items():
            if self._identity_of(name) != known:
                raise TopicChangedError(f"topic {name} was deleted or made again")

    def _commit(self, batch: Batch) -> None:
        upsert_all = False
        for attempt in range(1, _TRIES + 1):
            self._tables.prepare(batch)
            try:
                with self._connection.transaction():
                    self._tables.store(
                        batch, self._run_id, self._rules_version, upsert_all=upsert_all
                    )
                    self._passed("before_database_commit")
                break
            except pg.UniqueViolation:
                if upsert_all:
                    raise
                upsert_all = True
                self.newest.forget()
            except (pg.ForeignKeyViolation, pg.CheckViolation):
                self._tables.forget()  # a sensor, or a partition for the rows
                if attempt == _TRIES:
                    raise
            except _RETRIED_IN_PLACE as error:
                if attempt == _TRIES:
                    raise
                log.info("batch %d is stored again: %s", batch.batch_id, error)
        self._passed("after_database_commit")
