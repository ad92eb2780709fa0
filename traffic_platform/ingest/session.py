"""A session of an ingest run: one connection, one consumer and one set of locks.

A batch takes the steps poll, decode, admit, encode and write. Any error ends a session. The next
one starts from the ledger, so that a COMMIT whose answer was lost is never sent twice.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import TopicChangedError
from traffic_platform.event_tables.batch import Batch, build_batch
from traffic_platform.events.decode import Decoder
from traffic_platform.faults import fault_points
from traffic_platform.ingest.writer import BatchWriter
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.consumer import BatchConsumer, OffsetRefusedError
from traffic_platform.kafka.messages import Fetched, PartitionKey
from traffic_platform.kafka.origin_header import Signer, without_own_messages
from traffic_platform.ledger.offsets import (
    LedgerAdvance,
    read_ledger,
    reconcile_with_broker,
)
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.ledger.reconcile import LedgerPartition
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import read_identity, require_timezone
from traffic_platform.run_clock import wall_clock_us
from traffic_platform.sensors.admission import Admission
from traffic_platform.sensors.known_sensors import registered
from traffic_platform.settings import Settings

log = logging.getLogger(__name__)

_GROUP_COMMIT_SECONDS = 1.0  # offsets in the Kafka group only serve lag tools
_DISCOVER_SECONDS = 10.0  # interval at which added partitions are discovered


@dataclass(frozen=True)
class IngestRunSpec:
    """The partitions of an ingest run: those p of `topics` with p % writers == writer."""

    topics: tuple[str, ...]
    run_id: str | None
    writer: int
    writers: int

    def owns(self, partition: int) -> bool:
        """Return True for a partition of this run."""
        return partition % self.writers == self.writer

    def mine(self, topic: BrokerTopic) -> list[PartitionKey]:
        """Return the partitions of a topic that belong to this run."""
        return [(topic.name, p) for p in topic.partitions if self.owns(p)]


@dataclass
class _Position:
    """A partition's ledger row, as this session last wrote or read it."""

    topic_no: int
    next_offset: int
    leader_epoch: int | None


class Session:
    """A session of an ingest run; create it with `open`."""

    def __init__(self, settings: Settings, spec: IngestRunSpec, connection: Connection) -> None:
        require_timezone(connection, settings.timezone)
        self._signer = Signer(read_identity(connection))
        self._settings = settings
        self._spec = spec
        self._connection = connection
        self._rules = rules_of(settings)
        self._decoder = Decoder(self._rules)
        self._admission = Admission(self._rules, self._registered)
        self._broker = Broker(settings.kafka_config())
        self._locks = PartitionLocks(connection, spec.run_id, settings.lease_seconds)
        self._fetcher = BatchConsumer(
            settings.kafka_config(),
            settings.consumer_group,
            settings.batch_messages,
            settings.batch_bytes,
        )
        self._storer = BatchWriter(
            connection,
            self._locks,
            self._broker.ask_whether_same,
            run_id=spec.run_id,
            rules=self._rules,
        )
        self._passed = fault_points()
        self._topics: dict[str, BrokerTopic] = {}
        self._wanted: list[PartitionKey] = []
        self._positions: dict[PartitionKey, _Position] = {}
        self._fetched: dict[PartitionKey, int] = {}  # next to fetch, ahead of the stored
        self._order_times: dict[PartitionKey, datetime] = {}  # of these fetched messages
        self._targets: dict[PartitionKey, int] = {}
        self._seen_end: dict[PartitionKey, int] = {}
        self._stored: list[Batch] = []
        self._last_ingested_us = 0
        self._group_commit_at = 0.0
        self._discover_at = 0.0

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, spec: IngestRunSpec) -> Generator[Session]:
        """Connect; release the locks and close at the end. Raises the drivers' errors."""
        connection = connect(
            settings.endpoints().ingest_url,
            application_name=f"traffic-ingest-{spec.writer}",
            autocommit=True,
        )
        session: Session | None = None
        try:
            session = cls(settings, spec, connection)
            yield session
        finally:
            if session is not None:
                session._storer.close()
                session._fetcher.close()
                session._broker.close()
            connection.close()  # the server releases the locks with it

    def try_lock(self) -> bool:
        """Take the locks of all wanted partitions, or none. Ends connections of expired holders."""
        if not self._wanted:
            self._describe_topics()
        return self._locks.acquire(self._wanted)

    def stored_by_another(self) -> bool:
        """Return True when another run has stored all messages that `try_lock` first found."""
        ledgers = {name: read_ledger(self._connection, name) for name in self._topics}
        return all(
            partition in ledgers[name]
            and ledgers[name][partition].next_offset >= self._topics[name].partitions[partition].end
            for name, partition in self._wanted
        )

    def begin(self) -> None:
        """Make the ledger agree with the broker, and position the consumer by the ledger."""
        locked = self._wanted
        self._describe_topics()  # waiting for the locks may have taken minutes
        if self._wanted != locked:
            raise TopicChangedError("the topic's partitions have changed")
        for topic in self._topics.values():
            self._agree(topic, suspects=())
        self._assign()
        self._targets = {
            (topic, p): self._topics[topic].partitions[p].end for topic, p in self._wanted
        }
        self._seen_end |= self._targets

    def ingest_next(self) -> int:
        """Poll once, begin to write the messages, and return their number.

        The previous batch is written meanwhile. Without messages, all is written on return.
        """
        messages = self._fetcher.poll(self._settings.batch_linger_ms / 1000)
        polled = 0
        try:
            for fetched in self._fetcher.columns(messages):
                self._begin_to_store(fetched)
                polled += len(fetched)
        except OffsetRefusedError as error:
            self._refused(error)
        if not polled:
            self._settle()
            self._locks.renew_if_due()
        elif not self._storer.busy:
            self._settle()
        self._discover_if_due()
        self._commit_to_group(wait=False)
        return polled

    def caught_up(self) -> bool:
        """Return True when all messages that `begin` found are stored."""
        if any(self._fetched[key] < target for key, target in self._targets.items()):
            return False
        self._settle()
        return True

    def lag(self) -> int:
        """Return the number of messages of this run's partitions that are not stored yet."""
        return sum(
            max(0, self._seen_end.get(key, position.next_offset) - position.next_offset)
            for key, position in self._positions.items()
        )

    def abandon(self) -> None:
        """Await the submitted batch after an error, and count it if it was committed."""
        with contextlib.suppress(Exception):  # the error that ended the session is being raised
            self._settle()

    def take_stored(self) -> list[Batch]:
        """Return the batches committed since the last call."""
        stored, self._stored = self._stored, []
        return stored

    def finish(self) -> None:
        """Await the submitted batch, commit the group's offsets, and release the locks."""
        self._settle()
        self._commit_to_group(wait=True)
        self._locks.release()

    def _describe_topics(self) -> None:
        described = {name: self._broker.describe(name) for name in self._spec.topics}
        self._topics = {name: topic for name, topic in described.items() if topic is not None}
        self._wanted = sorted(w for topic in self._topics.values() for w in self._spec.mine(topic))
        self._discover_at = time.monotonic() + _DISCOVER_SECONDS
        if not self._wanted:
            names = ", ".join(self._spec.topics)
            raise TopicChangedError(f"{names} has no partition for this run yet")

    def _agree(self, topic: BrokerTopic, suspects: tuple[int, ...]) -> None:
        changes = reconcile_with_broker(
            self._connection, self._broker, topic, mine=self._spec.owns, suspects=suspects
        )
        for change in changes:
            if change.lost is not None:
                log.error("messages of %s were lost before a read: %s", topic.name, change.lost)

    def _assign(self) -> None:
        rows: dict[PartitionKey, LedgerPartition] = {}
        for name in self._topics:
            rows |= {(name, p): row for p, row in read_ledger(self._connection, name).items()}
        self._positions = {
            key: _Position(rows[key].topic_no, rows[key].next_offset, rows[key].leader_epoch)
            for key in self._wanted
        }
        self._fetched = {key: position.next_offset for key, position in self._positions.items()}
        self._order_times = {key: rows[key].order_time for key in self._wanted}
        self._fetcher.assign(
            {key: (p.next_offset, p.leader_epoch) for key, p in self._positions.items()}
        )

    def _begin_to_store(self, fetched: Fetched) -> None:
        moves = self._moves(fetched)
        if not moves:
            return
        foreign = without_own_messages(fetched, self._signer)
        arrival_us = self._arrival_us()
        decoded = self._admission.admit(self._decoder.decode(foreign.values, arrival_us))
        batch = build_batch(
            foreign,
            moves,
            decoded,
            self._storer.newest,
            timezone=self._settings.timezone,
            batch_id=self._storer.next_batch_id(),
            ingested_at_us=arrival_us,
        )
        self._fetched |= {where: move.next_offset for where, move in moves.items()}
        self._order_times |= {
            (audit.topic, audit.advance.partition): audit.advance.order_time
            for audit in batch.audits
            if audit.advance.order_time is not None
        }
        self._settle()
        self._storer.submit(batch, {name: self._topics[name].topic_id for name, _ in moves})

    def _registered(self, sensors: Collection[bytes]) -> set[bytes]:
        self._settle()  # the writer uses the connection until then
        return registered(self._connection, sensors)

    def _settle(self) -> None:
        """Await the submitted batch, and advance the positions by it."""
        batch = self._storer.settle()
        if batch is None:
            return
        for audit in batch.audits:
            key, advance = (audit.topic, audit.advance.partition), audit.advance
            self._positions[key].next_offset = advance.next_offset
            if advance.seen_end is not None:
                self._seen_end[key] = advance.seen_end
        self._stored.append(batch)

    def _moves(self, fetched: Fetched) -> dict[PartitionKey, LedgerAdvance]:
        return {
            key: LedgerAdvance(
                topic_no=self._positions[key].topic_no,
                partition=key[1],
                first_offset=self._fetched[key],
                next_offset=reached.next_offset,
                leader_epoch=reached.leader_epoch,
                seen_end=reached.seen_end,
                order_floor=self._order_times[key],
                order_time=self._order_times[key],
            )
            for key, reached in fetched.reached.items()
        }

    def _arrival_us(self) -> int:
        """Return the current time, later than that of any earlier batch, to identify new rows."""
        self._last_ingested_us = max(wall_clock_us(), self._last_ingested_us + 1)
        return self._last_ingested_us

    def _refused(self, error: OffsetRefusedError) -> None:
        self._settle()
        topic = self._broker.describe(error.topic)
        if topic is None:
            raise TopicChangedError(f"topic {error.topic} was deleted") from error
        self._agree(topic, suspects=(error.partition,))
        raise error

    def _discover_if_due(self) -> None:
        if time.monotonic() < self._discover_at:
            return
        before, wanted = self._topics, self._wanted
        self._describe_topics()
        same = all(
            name in before and before[name].topic_id == topic.topic_id
            for name, topic in self._topics.items()
        )
        if wanted != self._wanted or not same:
            raise TopicChangedError("the topic's partitions have changed")

    def _commit_to_group(self, *, wait: bool) -> None:
        if not wait and time.monotonic() < self._group_commit_at:
            return
        self._group_commit_at = time.monotonic() + _GROUP_COMMIT_SECONDS
        self._passed("before_group_commit")
        self._fetcher.commit_to_group(
            {key: position.next_offset for key, position in self._positions.items()}, wait=wait
        )
        self._passed("after_group_commit")
