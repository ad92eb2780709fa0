"""Lag of the ledger behind Kafka, and holders of partition locks. Reads only."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from traffic_platform.errors import translated
from traffic_platform.kafka.admin import Broker
from traffic_platform.ledger.offsets import read_ledger
from traffic_platform.ledger.partition_locks import Holder, read_holders
from traffic_platform.monitoring.stall import STALL_SECONDS, Blocker, Stall, read_blockers
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.publish.positions import Lag, destinations, publisher_lock, read_lag
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

# Kafka ends a transaction after its producer's transaction.timeout.ms, a minute by default. One
# that is open for three minutes has a longer timeout (15 minutes at most), or never ends.
OPEN_SECONDS = 180


@dataclass(frozen=True)
class OpenTransaction:
    """A producer's transaction that hides a partition's messages from `offset` on."""

    topic: str
    partition: int
    offset: int
    messages: int

    def __str__(self) -> str:
        """Return one sentence for people."""
        return (
            f"{self.topic} [{self.partition}]: a producer's transaction has been open for more than"
            f" {OPEN_SECONDS / 60:g} minutes, and {self.messages} messages from offset"
            f" {self.offset} on cannot be read until it ends"
        )


@dataclass(frozen=True)
class PartitionLag:
    """A partition from `start` to `end` (read_committed), and the ledger's `next_offset`.

    `next_offset` is None for a generation that the ledger does not know yet: a new partition, or
    one of a recreated topic.
    """

    topic: str
    partition: int
    next_offset: int | None
    start: int
    end: int

    @property
    def lag(self) -> int:
        """Messages (offsets) between the ledger and the end of the partition."""
        known = self.start if self.next_offset is None else max(self.next_offset, self.start)
        return max(0, self.end - known)

    @property
    def needs_run(self) -> bool:
        """True when an ingest run has work here: messages, or a changed partition."""
        if self.next_offset is None:
            return True
        return self.end != self.next_offset or self.start > self.next_offset


class LagReader:
    """Read lag and lock holders over one admin client and one connection, opened when needed.

    Every method raises TransientError while PostgreSQL or Kafka is unavailable and PermanentError
    when one rejects us. The next call connects again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._broker: Broker | None = None
        self._connection: Connection | None = None

    def read(self, topics: Sequence[str]) -> list[PartitionLag]:
        """Return the lag of every partition of the existing topics."""
        with self._errors_translated():
            return [lag for topic in topics for lag in self._read_topic(topic)]

    def open_transactions(self, lags: Sequence[PartitionLag]) -> list[OpenTransaction]:
        """Return transactions that have held back the ends in `lags` for OPEN_SECONDS.

        Takes one or two requests per topic.
        """
        ends: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for lag in lags:
            ends[lag.topic][lag.partition] = lag.end
        older_than_ms = int((time.time() - OPEN_SECONDS) * 1000)
        with self._errors_translated():
            return [
                OpenTransaction(topic, partition, of_topic[partition], mark - of_topic[partition])
                for topic, of_topic in ends.items()
                for partition, mark in self._connect_broker()
                .held_back(topic, of_topic, older_than_ms)
                .items()
            ]

    def holders(self, topics: Sequence[str] | None = None) -> list[Holder]:
        """Return the holders of the topics' partitions (default: of all ingested topics)."""
        with self._errors_translated():
            return read_holders(self._connect(), topics or self._settings.ingest_topics)

    def stall(self, lags: Sequence[PartitionLag]) -> Stall | None:
        """Return the stall of a ledger with this lag, None while it advances.

        A partition stands still when its oldest message that is not stored, and its last advance,
        are older than STALL_SECONDS. Takes two queries, and a request for each partition that
        does not advance.
        """
        since = time.time() - STALL_SECONDS
        with self._errors_translated():
            advanced = self._read_progress()
            still = [
                lag
                for lag in lags
                if lag.lag and advanced.get((lag.topic, lag.partition), 0.0) < since
            ]
            still = [lag for lag in still if self._waits_since(lag, since)]
            if not still:
                return None
            times = [advanced.get((lag.topic, lag.partition)) for lag in still]
            known = [at for at in times if at is not None]
            seconds = time.time() - max(known) if known else None
            return Stall(seconds, sum(lag.lag for lag in still), read_blockers(self._connect()))

    def _waits_since(self, lag: PartitionLag, since: float) -> bool:
        """Return whether the first message that is not stored is older than `since`."""
        first = max(lag.start, lag.next_offset or 0)
        broker = self._connect_broker()
        later = broker.offsets_since(lag.topic, [lag.partition], int(since * 1000))
        return later.get(lag.partition, lag.end) > first

    def blockers(self) -> list[Blocker]:
        """Return the sessions that block the ledger, also while its table is locked."""
        with self._errors_translated():
            return read_blockers(self._connect())

    def last_progress(self) -> dict[int | None, float]:
        """Return when each partition of the ingested topics last advanced, and None: the publisher.

        Seconds since 1970 UTC by PostgreSQL's clock. A partition that never advanced is missing.
        """
        with self._errors_translated():
            found: dict[int | None, float] = {}
            for (_, partition), at in self._read_progress().items():
                found[partition] = max(at, found.get(partition, 0.0))
            return found

    @property
    def publishes(self) -> bool:
        """True when the settings enable publishing."""
        return bool(destinations(self._settings))

    def publication_lag(self) -> Lag:
        """Return the lag of publishing behind the ledger."""
        with self._errors_translated():
            return read_lag(self._connect(), self._settings)

    def publishers(self) -> list[Holder]:
        """Return the holder of the publisher's lock, if any."""
        return self.holders([publisher_lock(self._settings)])

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _read_progress(self) -> dict[tuple[str | None, int | None], float]:
        """Return when each (topic, partition) last advanced, and (None, None): the publisher."""
        topics = {"topics": list(self._settings.ingest_topics)}
        rows = self._connect().execute(statement("monitoring/last_progress"), topics).fetchall()
        return {(topic, partition): at for topic, partition, at in rows}

    def _read_topic(self, name: str) -> list[PartitionLag]:
        topic = self._connect_broker().describe(name)
        if topic is None:
            return []
        ledger = read_ledger(self._connect(), name)
        identity = (topic.topic_id, topic.cluster_id)
        lags: list[PartitionLag] = []
        for partition, ends in topic.partitions.items():
            known = ledger.get(partition)
            same = known is not None and (known.kafka_topic_id, known.cluster_id) == identity
            next_offset = known.next_offset if known and same else None
            lags.append(PartitionLag(name, partition, next_offset, ends.low, ends.end))
        return lags

    def _connect_broker(self) -> Broker:
        if self._broker is None:
            self._broker = Broker(self._settings.kafka_config())
        return self._broker

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._settings.endpoints().ingest_url,
                application_name="traffic-lag",
                autocommit=True,
            )
        return self._connection

    @contextmanager
    def _errors_translated(self) -> Generator[None]:
        """Translate errors of the block, and close the connection after one."""
        try:
            with translated():
                yield
        except Exception:
            self.close()
            raise
