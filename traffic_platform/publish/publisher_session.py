"""A publisher's connection, lock and producers, from start to the first error.

Any error ends a session. The next session recovers its positions from PostgreSQL and Kafka.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace

from traffic_platform.errors import TopicChangedError
from traffic_platform.faults import fault_points
from traffic_platform.kafka.admin import Broker
from traffic_platform.kafka.messages import Headers
from traffic_platform.kafka.origin_header import ORIGIN_HEADER, QUARANTINED_HEADER, Signer
from traffic_platform.kafka.transactional_producer import (
    Outgoing,
    PublishTarget,
    TransactionalProducer,
)
from traffic_platform.ledger.partition_locks import PartitionLocks
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import read_identity
from traffic_platform.publish.ahead import forget, has_ahead, remember, take_ahead
from traffic_platform.publish.encode import Encoder
from traffic_platform.publish.positions import (
    GenerationKey,
    Key,
    Lag,
    Position,
    Route,
    destinations,
    publisher_lock,
    read_lag,
    read_ledger_offsets,
    read_positions,
    read_targets,
    save_positions,
)
from traffic_platform.publish.recovery import Destinations, find_published
from traffic_platform.publish.rows import Events, Next, QuarantinedRow, read_next
from traffic_platform.settings import Settings

MESSAGES_PER_CYCLE = 20_000
_PRODUCERS_AT_A_TIME = 16
# Bytes of key and value. A broker's default limit is 1,048,588 bytes with the headers.
_LARGEST_MESSAGE = 900_000


@dataclass
class Published:
    """Numbers of published messages by route."""

    events: int = 0
    replays: int = 0
    quarantined: int = 0
    already: int = 0
    """Messages that a predecessor had published; they count in no other field."""

    @property
    def messages(self) -> int:
        """Their sum."""
        return self.events + self.replays + self.quarantined

    def add(self, other: Published) -> None:
        """Add the numbers of another cycle."""
        self.events += other.events
        self.replays += other.replays
        self.quarantined += other.quarantined
        self.already += other.already


class PublisherSession:
    """A session of a publisher; create it with `open`."""

    def __init__(self, settings: Settings, run_id: str | None, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._locks = PartitionLocks(connection, run_id, settings.lease_seconds)
        identity = read_identity(connection)
        self._platform_id, self._signer = identity.platform_id, Signer(identity)
        self._broker = Broker(settings.kafka_config())
        self._encoder = Encoder()
        self._passed = fault_points()
        self._threads = ThreadPoolExecutor(
            _PRODUCERS_AT_A_TIME, thread_name_prefix="traffic-publish"
        )
        self._producers: dict[int, TransactionalProducer] = {}
        self._positions: dict[Key, Position] = {}
        self._targets: dict[Key, PublishTarget] = {}
        self._unsaved: set[Key] = set()
        self._ahead = False  # True while `published_ahead` may hold a message
        self._identities: dict[str, str] = {}

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, run_id: str | None) -> Generator[PublisherSession]:
        """Connect; release the lock and close at the end. Raises the drivers' errors."""
        connection = connect(
            settings.endpoints().ingest_url, application_name="traffic-publisher", autocommit=True
        )
        session: PublisherSession | None = None
        try:
            session = cls(settings, run_id, connection)
            yield session
        finally:
            if session is not None:
                session._close_clients()
            connection.close()  # the server releases the lock with it

    def try_lock(self) -> bool:
        """Take the publisher's lock. Ends the connection of a holder whose lease has expired."""
        return self._locks.acquire([(publisher_lock(self._settings), 0)])

    def begin(self) -> None:
        """Fence predecessors, and remember what they published beyond the positions."""
        positions = read_positions(self._connection, self._settings)
        self._positions = {position.key: position for position in positions}
        config = self._settings.kafka_config()
        self._producers = {
            p: TransactionalProducer(config, self._platform_id, p)
            for p in {position.generation.partition for position in positions}
        }
        self._await(
            [self._threads.submit(producer.take_over) for producer in self._producers.values()]
        )
        topics = Destinations(self._broker, destinations(self._settings))
        self._identities = topics.identities()
        for found in find_published(config, self._signer, self._broker, topics, positions):
            remember(self._connection, found)
            self._locks.renew_if_due()
        self._ahead = has_ahead(self._connection)
        self._choose_targets(topics)

    def publish_next(self) -> Published:
        """Publish the next rows of every generation, in one transaction per source partition."""
        self._locks.renew_if_due()
        self._read_ledger()
        following = read_next(
            self._connection,
            list(self._positions.values()),
            messages=MESSAGES_PER_CYCLE,
            payload=self._settings.batch_bytes,
        )
        already = take_ahead(self._connection, following) if self._ahead else []
        if following.messages:
            self._send(following)
        for position, reached in following.reached:
            position.next_position = reached
            self._unsaved.add(position.key)
        with self._connection.transaction():
            self._save()
            forget(self._connection, already)
        return Published(
            len(following.events or ()),
            len(following.replays or ()),
            len(following.quarantined),
            len(already),
        )

    def positions(self) -> list[Position]:
        """Return the stored positions, which another publisher may have reached."""
        return read_positions(self._connection, self._settings)

    def targets(self) -> dict[Key, int]:
        """Return the positions at which everything that is stored now is published."""
        return read_targets(self._connection, self._settings)

    def lag(self) -> Lag:
        """Return the lag of publishing behind the ledger."""
        return read_lag(self._connection, self._settings)

    def finish(self) -> None:
        """Release the lock."""
        self._locks.release()

    def _close_clients(self) -> None:
        self._threads.shutdown(wait=True)
        for producer in self._producers.values():
            producer.close()
        self._broker.close()

    def _save(self) -> None:
        """Save changed positions and the ends of their partitions' targets.

        Recovery reads a target from the lowest saved offset.
        """
        unsaved = [(self._positions[key], self._targets[key]) for key in self._unsaved]
        save_positions(self._connection, unsaved)
        self._unsaved.clear()

    def _await(self, work: Sequence[Future[None]]) -> None:
        """Wait for all and renew the lease meanwhile; raise the first error."""
        while wait(work, timeout=1.0).not_done:
            self._locks.renew_if_due()
        one: Future[None] | None = None
        try:
            for one in work:
                one.result()
        finally:
            # An error's traceback refers to this frame, and the frame would refer to the error.
            del one, work

    def _choose_targets(self, topics: Destinations) -> None:
        """Save every target before the first message is sent, so that recovery finds it."""
        for key, position in self._positions.items():
            self._targets[key] = topics.end(position.route, position.generation.partition)
            if position.target != self._targets[key]:
                self._unsaved.add(key)
        self._save()

    def _read_ledger(self) -> None:
        """Read the ledger's offsets. Raises TopicChangedError for a new generation."""
        reached = read_ledger_offsets(self._connection, self._settings)
        for position in self._positions.values():
            generation = position.generation
            position.generation = replace(generation, next_offset=reached[generation.key])
        if reached.keys() - {p.generation.key for p in self._positions.values()}:
            raise TopicChangedError("the ledger has new partition generations to publish")

    def _send(self, following: Next) -> None:
        require_same_topics = self._broker.ask_whether_same(self._identities)
        outgoing = self._outgoing(following)
        for partition, parts in outgoing.items():
            self._producers[partition].send(parts)
        require_same_topics()
        self._passed("before_publish_commit")
        producers = [self._producers[partition] for partition in outgoing]
        for producer, reached in zip(
            producers, self._threads.map(TransactionalProducer.commit, producers), strict=True
        ):
            self._set_ends(producer.partition, reached)
        self._passed("after_publish_commit")

    def _set_ends(self, partition: int, reached: dict[tuple[str, int], int]) -> None:
        for key, target in self._targets.items():
            end = reached.get((target.topic, target.partition))
            if end is not None and self._positions[key].generation.partition == partition:
                self._targets[key] = replace(target, next_offset=end)
                self._unsaved.add(key)

    def _outgoing(self, following: Next) -> dict[int, list[Outgoing]]:
        by_partition: defaultdict[int, list[Outgoing]] = defaultdict(list)
        routes: tuple[tuple[Route, Events | None], ...] = (
            ("events", following.events),
            ("replays", following.replays),
        )
        for route, events in routes:
            if events is not None:
                for key, part in events.by_generation():
                    by_partition[key[1]].append(self._events(self._targets[route, *key], key, part))
        rows: defaultdict[GenerationKey, list[QuarantinedRow]] = defaultdict(list)
        for row in following.quarantined:
            rows[row.topic_no, row.partition].append(row)
        for key, part in rows.items():
            target = self._targets["quarantine", *key]
            by_partition[key[1]].append(self._quarantined(target, key, part))
        return by_partition

    def _events(self, target: PublishTarget, key: GenerationKey, events: Events) -> Outgoing:
        encoded = self._encoder.encode(events)
        numbers = (events.offset.tolist(), events.replay_no.tolist())
        origins = self._signer.headers(*key, *numbers, encoded.values)
        headers: list[Headers] = [[(ORIGIN_HEADER, origin)] for origin in origins]
        return Outgoing(target, encoded.keys, encoded.values, headers)

    def _quarantined(
        self, target: PublishTarget, key: GenerationKey, rows: list[QuarantinedRow]
    ) -> Outgoing:
        values = [row.value if _fits(row) else None for row in rows]
        offsets = [row.offset for row in rows]
        signed = [value or b"" for value in values]
        origins = self._signer.headers(*key, offsets, [0] * len(rows), signed, QUARANTINED_HEADER)
        topic = self._positions["quarantine", *key].generation.topic
        headers: list[Headers] = [
            [
                (QUARANTINED_HEADER, origin),
                ("traffic-reason", row.reason.encode()),
                ("traffic-detail", row.detail.encode()),
                ("traffic-source", f"{topic}/{row.partition}/{row.offset}".encode()),
                *([] if _fits(row) else [("traffic-value-bytes", b"%d" % len(row.value or b""))]),
            ]
            for row, origin in zip(rows, origins, strict=True)
        ]
        keys = [row.key if _fits(row) else None for row in rows]
        return Outgoing(target, keys, values, headers)


def _fits(row: QuarantinedRow) -> bool:
    """Return True when a broker accepts the message by default; larger ones stay in the table."""
    return len(row.key or b"") + len(row.value or b"") <= _LARGEST_MESSAGE
