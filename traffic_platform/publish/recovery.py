"""Recovery of positions from messages that a predecessor committed in Kafka only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from confluent_kafka import Message

from traffic_platform.errors import TransientError
from traffic_platform.kafka.admin import Broker, BrokerTopic
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.kafka.messages import PartitionKey, headers_of
from traffic_platform.kafka.origin_header import ORIGIN_HEADER, QUARANTINED_HEADER, Origin, Signer
from traffic_platform.kafka.transactional_producer import PublishTarget
from traffic_platform.publish.positions import Key, Position, Route

log = logging.getLogger(__name__)

RECOVERY_GROUP = "traffic-publisher"


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

    def end_of(self, target: PublishTarget) -> int:
        """Return the end of a target that exists."""
        return self._ends[target.topic][target.partition]

    def exists(self, target: PublishTarget) -> bool:
        """Return True when the target's topic still exists and was not recreated."""
        topic = self._described.get(target.topic)
        return topic is not None and topic.topic_id == target.topic_id

    def identities(self) -> dict[str, str]:
        """Return Kafka's id of each topic."""
        return {name: topic.topic_id for name, topic in self._described.items()}

    def _describe(self, name: str) -> BrokerTopic:
        topic = self._broker.describe(name)
        if topic is None:
            raise TransientError(f"the destination topic {name} does not exist yet")
        return topic


def recover(
    kafka_config: dict[str, str],
    signer: Signer,
    destinations: Destinations,
    positions: Sequence[Position],
    alive: Callable[[], None],
) -> None:
    """Advance the positions of a source partition beyond its predecessors' messages.

    The partition's producer must have taken over, so that no predecessor commits any more. Reads
    each target from the offset in PostgreSQL to its current end, and calls `alive` meanwhile.
    """
    targets: dict[PartitionKey, PublishTarget] = {}
    for position in positions:
        target = position.target
        if target is not None and destinations.exists(target):
            key = (target.topic, target.partition)
            first = min(target.next_offset, targets.get(key, target).next_offset)
            targets[key] = replace(target, next_offset=first)
    by_key = {position.key: position for position in positions}
    for target in targets.values():
        end = destinations.end_of(target)
        if target.next_offset >= end:
            continue
        with LogReader(kafka_config, RECOVERY_GROUP) as kafka:
            kafka.seek(target.topic, target.partition, target.next_offset)
            quarantine = destinations.topics.get("quarantine") == target.topic
            for messages in kafka.read_below(end):
                _advance_positions(_origins(signer, messages, quarantine), quarantine, by_key)
                alive()


def _origins(signer: Signer, messages: list[Message], quarantine: bool) -> Iterable[Origin]:
    name = QUARANTINED_HEADER if quarantine else ORIGIN_HEADER
    for message, headers in zip(messages, headers_of(messages), strict=True):
        origin = signer.origin(headers, message.value(), name)
        if origin is not None:
            yield origin


def _advance_positions(
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
            continue  # of another source partition with the same target
        following = (origin.replay_no or origin.offset) + 1
        if following > position.next_position:
            log.info(
                "recovered the position of %s [%d]: published up to %d",
                position.generation.topic, position.generation.partition, following,
            )  # fmt: skip
            position.next_position = following
