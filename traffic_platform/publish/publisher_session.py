"""One connection, one lock and all lanes: what a publisher holds while all is well.

Any error ends a session; the next one recovers from PostgreSQL and Kafka.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

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
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.identity import read_identity
from traffic_platform.publish.encode import Encoder
from traffic_platform.publish.positions import (
    Connection,
    Key,
    Lag,
    Position,
    Route,
    destinations,
    publisher_lock,
    read_lag,
    read_ledger_offsets,
    read_positions,
    save_positions,
)
from traffic_platform.publish.recovery import Destinations, recover
from traffic_platform.publish.rows import Events, Next, QuarantinedRow, read_next
from traffic_platform.settings import Settings

MESSAGES_A_CYCLE = 20_000
_LANES_AT_A_TIME = 16
# Bytes of key and value; brokers take 1,048,588 with the headers unless they are told otherwise.
_LARGEST_MESSAGE = 900_000

PartitionGeneration = tuple[int, int]  # topic_no, partition


@dataclass
class Published:
    """How many messages were published, by route."""

    events: int = 0
    replays: int = 0
    quarantined: int = 0

    @property
    def messages(self) -> int:
        """All of them."""
        return self.events + self.replays + self.quarantined

    def add(self, other: Published) -> None:
        """Add what was published since."""
        self.events += other.events
        self.replays += other.replays
        self.quarantined += other.quarantined


class PublisherSession:
    """See the module. Use `PublisherSession.open`."""

    def __init__(self, settings: Settings, run_id: str | None, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._locks = PartitionLocks(connection, run_id, settings.lease_seconds)
        identity = read_identity(connection)
        self._platform_id, self._signer = identity.platform_id, Signer(identity)
        self._broker = Broker(settings.kafka_config())
        self._encoder = Encoder()
        self._passed = fault_points()
        self._threads = ThreadPoolExecutor(_LANES_AT_A_TIME, thread_name_prefix="traffic-lane")
        self._producers: dict[int, TransactionalProducer] = {}
        self._positions: dict[Key, Position] = {}
        self._places: dict[Key, PublishTarget] = {}
        self._unsaved: set[Key] = set()
        self._identities: dict[str, str] = {}

    @classmethod
    @contextmanager
    def open(cls, settings: Settings, run_id: str | None) -> Generator[PublisherSession]:
        """Connect; at the end, give the lock back and close. Raises what the drivers raise."""
        connection: psycopg.Connection[tuple[object, ...]] = connect(
            settings.endpoints().ingest_url, application_name="traffic-publisher", autocommit=True
        )
        session: PublisherSession | None = None
        try:
            session = cls(settings, run_id, connection)
            yield session
        finally:
            if session is not None:
                session._threads.shutdown(wait=True)
            connection.close()  # the server releases the lock with it

    def try_lock(self) -> bool:
        """Take the publisher's lock; an expired holder is ended."""
        return self._locks.acquire([(publisher_lock(self._settings), 0)])

    def begin(self) -> None:
        """Fence predecessors, and find where they ended."""
        by_lane: defaultdict[int, list[Position]] = defaultdict(list)
        for position in read_positions(self._connection, self._settings):
            by_lane[position.log.partition].append(position)
            self._positions[position.key] = position
        config = self._settings.kafka_config()
        self._producers = {p: TransactionalProducer(config, self._platform_id, p) for p in by_lane}
        self._await(
            [self._threads.submit(producer.take_over) for producer in self._producers.values()]
        )
        topics = Destinations(self._broker, destinations(self._settings))
        self._identities = topics.identities()
        for positions in by_lane.values():
            recover(config, self._signer, topics, positions, self._locks.renew_if_due)
        self._choose_places(topics)

    def publish_next(self) -> Published:
        """Publish what is next of every log, in one transaction a lane; nothing: there is none."""
        self._locks.renew_if_due()
        self._look_at_ledger()
        following = read_next(
            self._connection,
            list(self._positions.values()),
            messages=MESSAGES_A_CYCLE,
            payload=self._settings.batch_bytes,
        )
        if following.messages:
            self._send(following)
        for position, reached in following.reached:
            position.next_position = reached
            self._unsaved.add(position.key)
        self._save()
        return Published(
            len(following.events or ()),
            len(following.replays or ()),
            len(following.quarantined),
        )

    def lag(self) -> Lag:
        """What is not published yet."""
        return read_lag(self._connection, self._settings)

    def finish(self) -> None:
        """Give the lock back."""
        self._locks.release()

    def _save(self) -> None:
        """Write down the positions that have moved, and where the others of their lanes now are:
        recovery reads from the least of these."""
        moved = [(self._positions[key], self._places[key]) for key in self._unsaved]
        save_positions(self._connection, moved)
        self._unsaved.clear()

    def _await(self, work: Sequence[Future[None]]) -> None:
        """Wait for all, alive to others; raises the first error."""
        while wait(work, timeout=1.0).not_done:
            self._locks.renew_if_due()
        one: Future[None] | None = None
        try:
            for one in work:
                one.result()
        finally:
            # An error's traceback holds this frame, which would hold the error.
            del one, work

    def _choose_places(self, topics: Destinations) -> None:
        """Write down where each log goes before anything goes there: recovery looks there."""
        for key, position in self._positions.items():
            self._places[key] = topics.end(position.route, position.log.partition)
        self._unsaved |= {
            key for key, position in self._positions.items() if position.known != self._places[key]
        }
        self._save()

    def _look_at_ledger(self) -> None:
        """See how far logs are stored; a log that is not known yet needs a new session."""
        reached = read_ledger_offsets(self._connection, self._settings)
        for position in self._positions.values():
            log = position.log
            position.log = replace(log, next_offset=reached[log.topic_no, log.partition])
        if reached.keys() - {(p.log.topic_no, p.log.partition) for p in self._positions.values()}:
            raise TopicChangedError("there are new logs to publish")

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
            self._note(producer.partition, reached)
        self._passed("after_publish_commit")

    def _note(self, partition: int, reached: dict[tuple[str, int], int]) -> None:
        for key, place in self._places.items():
            if self._positions[key].log.partition == partition:
                end = reached.get((place.topic, place.partition))
                if end is not None:
                    self._places[key] = replace(place, next_offset=end)
                    self._unsaved.add(key)

    def _outgoing(self, following: Next) -> dict[int, list[Outgoing]]:
        by_lane: defaultdict[int, list[Outgoing]] = defaultdict(list)
        routes: tuple[tuple[Route, Events | None], ...] = (
            ("events", following.events),
            ("replays", following.replays),
        )
        for route, events in routes:
            if events is not None:
                for log, part in _by_log(events):
                    place = self._places[route, *log]
                    by_lane[log[1]].append(self._events(place, log, part))
        rows: defaultdict[PartitionGeneration, list[QuarantinedRow]] = defaultdict(list)
        for row in following.quarantined:
            rows[row.topic_no, row.partition].append(row)
        for log, of_log in rows.items():
            by_lane[log[1]].append(self._quarantined(self._places["quarantine", *log], log, of_log))
        return by_lane

    def _events(self, target: PublishTarget, log: PartitionGeneration, events: Events) -> Outgoing:
        encoded = self._encoder.encode(events)
        numbers = (events.offset.tolist(), events.replay_no.tolist())
        marks = self._signer.headers(*log, *numbers, encoded.values)
        headers: list[Headers] = [[(ORIGIN_HEADER, mark)] for mark in marks]
        return Outgoing(target, encoded.keys, encoded.values, headers)

    def _quarantined(
        self, target: PublishTarget, log: PartitionGeneration, rows: list[QuarantinedRow]
    ) -> Outgoing:
        values = [row.value if _fits(row) else None for row in rows]
        offsets = [row.offset for row in rows]
        signed = [value or b"" for value in values]
        marks = self._signer.headers(*log, offsets, [0] * len(rows), signed, QUARANTINED_HEADER)
        topic = self._positions["quarantine", *log].log.topic
        headers: list[Headers] = [
            [
                (QUARANTINED_HEADER, mark),
                ("traffic-reason", row.reason.encode()),
                ("traffic-detail", row.detail.encode()),
                ("traffic-source", f"{topic}/{row.partition}/{row.offset}".encode()),
                *([] if _fits(row) else [("traffic-value-bytes", b"%d" % len(row.value or b""))]),
            ]
            for row, mark in zip(rows, marks, strict=True)
        ]
        keys = [row.key if _fits(row) else None for row in rows]
        return Outgoing(target, keys, values, headers)


def _fits(row: QuarantinedRow) -> bool:
    """Whether any broker takes the message; what is larger is in `quarantined_events`."""
    return len(row.key or b"") + len(row.value or b"") <= _LARGEST_MESSAGE


def _by_log(events: Events) -> Generator[tuple[PartitionGeneration, Events]]:
    """The events of each log; they lie together."""
    logs = sorted(set(zip(events.topic_no.tolist(), events.partition.tolist(), strict=True)))
    for topic_no, partition in logs:
        yield (
            (topic_no, partition),
            events.take((events.topic_no == topic_no) & (events.partition == partition)),
        )
