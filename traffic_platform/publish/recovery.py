"""Recovery after a crash, a restore or a failover: what predecessors committed in Kafka only."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from traffic_platform.errors import PermanentError, TransientError
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.kafka.messages import PartitionKey, headers_of
from traffic_platform.kafka.origin_header import ORIGIN_HEADER, QUARANTINED_HEADER, Signer
from traffic_platform.kafka.transactional_producer import PublishTarget
from traffic_platform.publish.ahead import Source, Stream
from traffic_platform.publish.positions import GenerationKey, PartitionGeneration, Position, Route

log = logging.getLogger(__name__)

RECOVERY_GROUP = "traffic-publisher"
# Longest time by which the clock of a destination's partition may be behind that of a source.
_CLOCKS_APART_MS = 3_600_000
_HEADERS: Mapping[Stream, str] = {"events": ORIGIN_HEADER, "quarantine": QUARANTINED_HEADER}
Starts = dict[tuple[Stream, int, int], int]  # route, topic_no, partition: first offset to search


class Destinations:
    """The destination topics and their ends in Kafka.

    Create it after all producers have taken over: then no message of a predecessor follows the
    ends.
    """

    def __init__(self, broker: Broker, topics: Mapping[Route, str]) -> None:
        self._broker = broker
        self.topics = topics
        self._described = {name: self._describe(name) for name in set(topics.values())}
        self._ends = {
            name: broker.high_watermarks(topic) for name, topic in self._described.items()
        }

    def end(self, route: Route, source_partition: int) -> PublishTarget:
        """Return the one target of a source partition's rows, and its end."""
        topic = self._described[self.topics[route]]
        partition = source_partition % len(topic.partitions)
        return PublishTarget(
            topic.name, topic.topic_id, partition, self._ends[topic.name][partition]
        )

    def ends(self, route: Route) -> dict[int, int]:
        """Return the end of each partition of a route's topic."""
        return self._ends[self.topics[route]]

    def since(self, route: Route, time_ms: int | None) -> dict[int, int]:
        """Return the first offset of each partition from a time on (ms since 1970); None: of all.

        The times are those of the messages in Kafka. A partition without a later message is
        missing.
        """
        topic = self._described[self.topics[route]]
        filled = [p for p, ends in topic.partitions.items() if ends.low < self.ends(route)[p]]
        if time_ms is None or not filled:
            return {partition: topic.partitions[partition].low for partition in filled}
        return self._broker.offsets_since(topic.name, filled, time_ms)

    def identities(self) -> dict[str, str]:
        """Return Kafka's id of each topic."""
        return {name: topic.topic_id for name, topic in self._described.items()}

    def _describe(self, name: str) -> BrokerTopic:
        topic = self._broker.describe(name)
        if topic is None:
            raise TransientError(f"the destination topic {name} does not exist yet")
        return topic


def find_published(
    kafka_config: dict[str, str],
    signer: Signer,
    broker: Broker,
    destinations: Destinations,
    positions: Sequence[Position],
) -> Iterator[list[Source]]:
    """Yield our messages that Kafka holds beyond what PostgreSQL knows, part by part.

    All producers must have taken over, so that no predecessor commits any more. Each partition of
    a destination is read from the first offset that a position does not know to its current end.
    """
    with LogReader(kafka_config, RECOVERY_GROUP) as kafka:
        starts = _starts(kafka, broker, destinations, positions)
        for (topic, partition), by_source in starts.items():
            route: Stream = (
                "quarantine" if destinations.topics.get("quarantine") == topic else "events"
            )
            end = destinations.ends(route)[partition]
            first = min(by_source.values())
            if first >= end:
                continue
            kafka.seek(topic, partition, first)
            number = 0
            for messages in kafka.read_below(end):
                found = list(_sources(signer, messages, route, by_source))
                number += len(found)
                yield found
            log.info(
                "searched %s [%d] from offset %d to %d: %d messages were published before",
                topic, partition, first, end, number,
            )  # fmt: skip


def _sources(
    signer: Signer, messages: list[Message], route: Stream, starts: Starts
) -> Iterator[Source]:
    for message, headers in zip(messages, headers_of(messages), strict=True):
        origin = signer.origin(headers, message.value(), _HEADERS[route])
        if origin is not None:
            start = starts.get((route, origin.topic_no, origin.partition))
            if start is not None and (message.offset() or 0) >= start:
                yield Source(route, origin.topic_no, origin.partition, origin.offset)


def _starts(
    kafka: LogReader, broker: Broker, destinations: Destinations, positions: Sequence[Position]
) -> dict[PartitionKey, Starts]:
    """Return where to search, by partition of a destination."""
    identities = destinations.identities()
    oldest: dict[GenerationKey, int | None] = {}
    found: defaultdict[PartitionKey, Starts] = defaultdict(dict)
    for position in positions:
        target = position.target
        now = destinations.end(position.route, position.generation.partition)
        if target is not None and (target.topic_id, target.partition) == (
            identities[target.topic],
            now.partition,
        ):
            searched = {target.partition: target.next_offset}
        elif not any(destinations.ends(position.route).values()):
            continue
        else:
            # The position was lost, or the destination is another one. Its row may have been lost
            # after it had changed once more, so all partitions are searched.
            key = position.generation.key
            if key not in oldest:
                oldest[key] = _oldest_ms(kafka, broker, position.generation)
            searched = destinations.since(position.route, oldest[key])
        route: Stream = "quarantine" if position.route == "quarantine" else "events"
        for partition, first in searched.items():
            by_source = found[destinations.topics[position.route], partition]
            source = (route, *position.generation.key)
            by_source[source] = min(first, by_source.get(source, first))
    return found


def _oldest_ms(kafka: LogReader, broker: Broker, generation: PartitionGeneration) -> int | None:
    """Return a time before the first publication from a generation; None: unknown.

    It is the time at which Kafka received the first message. The arrival in PostgreSQL does not
    serve: after a restore the message may have been stored a second time, after its publication.
    """
    try:
        return _first_received_ms(kafka, broker, generation)
    except PermanentError as error:  # publishing does not need the right to read the source
        log.info("the search for published messages begins at the start: %s", error)
        return None


def _first_received_ms(
    kafka: LogReader, broker: Broker, generation: PartitionGeneration
) -> int | None:
    topic = broker.describe(generation.topic)
    if topic is None or topic.topic_id != generation.topic_id:
        return None
    ends = topic.partitions.get(generation.partition)
    if ends is None or ends.low > generation.start_offset:
        return None
    kafka.seek(generation.topic, generation.partition, generation.start_offset)
    for messages in kafka.read_below(ends.end):
        kind, time_ms = messages[0].timestamp()
        # Another time is the producer's, whose clock may be fast.
        return time_ms - _CLOCKS_APART_MS if kind == TIMESTAMP_LOG_APPEND_TIME else None
    return None
