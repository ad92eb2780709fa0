"""Where a lane goes on: what its predecessor has committed in Kafka and not yet in PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from confluent_kafka import Message

from traffic_platform.errors import TransientError
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.kafka.messages import headers_of
from traffic_platform.kafka.origin_header import ORIGIN_HEADER, QUARANTINED_HEADER, Origin, Signer
from traffic_platform.kafka.transactional_producer import PublishTarget
from traffic_platform.publish.positions import Key, Position, Route

log = logging.getLogger(__name__)

RECOVERY_GROUP = "traffic-publisher"


class Destinations:
    """The topics that are published to, as Kafka has them at this moment.

    Made when all lanes have taken over: no message of a predecessor comes after the ends.
    """

    def __init__(self, broker: Broker, topics: Mapping[Route, str]) -> None:
        self._broker = broker
        self.topics = topics
        self._described = {name: self._describe(name) for name in set(topics.values())}
        self._ends = {
            name: broker.high_watermarks(topic) for name, topic in self._described.items()
        }

    def end(self, route: Route, source_partition: int) -> PublishTarget:
        """The one partition that the rows of a source partition go to, and its end."""
        topic = self._described[self.topics[route]]
        partition = source_partition % len(topic.partitions)
        return PublishTarget(
            topic.name, topic.topic_id, partition, self._ends[topic.name][partition]
        )

    def end_of(self, place: PublishTarget) -> int:
        """The end of a place that is still there."""
        return self._ends[place.topic][place.partition]

    def is_there(self, place: PublishTarget) -> bool:
        """Whether the place is still one of Kafka's, and not of a topic that was made again."""
        topic = self._described.get(place.topic)
        return topic is not None and topic.topic_id == place.topic_id

    def identities(self) -> dict[str, str]:
        """Kafka's identity of each topic."""
        return {name: topic.topic_id for name, topic in self._described.items()}

    def _describe(self, name: str) -> BrokerTopic:
        topic = self._broker.describe(name)
        if topic is None:
            raise TransientError(f"topic {name}, which is published to, does not exist yet")
        return topic


def recover(
    kafka_config: dict[str, str],
    signer: Signer,
    destinations: Destinations,
    positions: Sequence[Position],
    alive: Callable[[], None],
) -> None:
    """Move the positions of a lane beyond what its predecessors have published.

    The lane must have taken over: nobody else commits under its name any more. Reads each place
    from the offset that PostgreSQL knows to its end at this moment. `alive` is called meanwhile.
    """
    places: dict[tuple[str, int], PublishTarget] = {}
    for position in positions:
        known = position.known
        if known is not None and destinations.is_there(known):
            key = (known.topic, known.partition)
            first = min(known.next_offset, places[key].next_offset if key in places else 1 << 62)
            places[key] = replace(known, next_offset=first)
    by_log = {position.key: position for position in positions}
    for place in places.values():
        end = destinations.end_of(place)
        if place.next_offset >= end:
            continue
        with LogReader(kafka_config, RECOVERY_GROUP) as kafka:
            kafka.seek(place.topic, place.partition, place.next_offset)
            quarantine = destinations.topics.get("quarantine") == place.topic
            for messages in kafka.read_below(end):
                _pass_over(_origins(signer, messages, quarantine), quarantine, by_log)
                alive()


def _origins(signer: Signer, messages: list[Message], quarantine: bool) -> Iterable[Origin]:
    name = QUARANTINED_HEADER if quarantine else ORIGIN_HEADER
    for message, headers in zip(messages, headers_of(messages), strict=True):
        origin = signer.origin(headers, message.value(), name)
        if origin is not None:
            yield origin


def _pass_over(
    origins: Iterable[Origin],
    quarantine: bool,
    positions: Mapping[Key, Position],
) -> None:
    for origin in origins:
        route: Route = "replays" if origin.replay_no else "events"
        position = positions.get(
            ("quarantine" if quarantine else route, origin.topic_no, origin.partition)
        )
        if position is None:
            continue  # of another lane that shares the destination
        following = (origin.replay_no or origin.offset) + 1
        if following > position.next_position:
            log.info(
                "%s [%d] was published up to %d already",
                position.log.topic, position.log.partition, following,
            )  # fmt: skip
            position.next_position = following
