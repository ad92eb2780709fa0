"""Positions of publishing, by partition generation: rows of `traffic.publications`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from traffic_platform.kafka.transactional_producer import PublishTarget
from traffic_platform.postgres.connections import Connection
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Route = Literal["events", "replays", "quarantine"]
GenerationKey = tuple[int, int]  # topic_no, partition
Key = tuple[Route, int, int]  # route, topic_no, partition

FIRST_REPLAY = 1


@dataclass(frozen=True)
class PartitionGeneration:
    """A partition generation of the ledger, stored up to `next_offset`.

    `topic_id` is Kafka's id of the topic, None for a generation that has a successor.
    """

    topic: str
    topic_no: int
    partition: int
    start_offset: int
    next_offset: int
    topic_id: str | None

    @property
    def key(self) -> GenerationKey:
        """Its topic_no and partition."""
        return self.topic_no, self.partition


@dataclass
class Position:
    """The position of a route of a partition generation.

    `next_position` is the first source offset (number, for reprocessed events) that is not
    published. `target` is the destination stored in PostgreSQL.
    """

    generation: PartitionGeneration
    route: Route
    next_position: int
    target: PublishTarget | None

    @property
    def key(self) -> Key:
        """Its route, topic_no and partition."""
        return self.route, *self.generation.key


@dataclass(frozen=True)
class Lag:
    """Numbers of unpublished source offsets and reprocessed events (`replays`)."""

    offsets: int
    replays: int

    @property
    def total(self) -> int:
        """Their sum."""
        return self.offsets + self.replays


def publisher_lock(settings: Settings) -> str:
    """Return the name of the publisher's lock, which takes the place of a topic's name."""
    return f"publish:{settings.raw_topic}"


def destinations(settings: Settings) -> dict[Route, str]:
    """Return the topic of each enabled route; empty when the settings turn publishing off."""
    wanted: dict[Route, str] = {}
    if settings.publish:
        wanted |= {"events": settings.events_topic, "replays": settings.events_topic}
    if settings.quarantine_topic is not None:
        wanted["quarantine"] = settings.quarantine_topic
    return wanted


def read_positions(connection: Connection, settings: Settings) -> list[Position]:
    """Return the positions of all routes, by partition, oldest generation first."""
    rows = connection.execute(statement("publish/positions"), _parameters(settings)).fetchall()
    wanted = destinations(settings)
    return [_position(*row, destination=wanted[row[6]]) for row in rows]


def _position(
    topic: str,
    topic_no: int,
    partition: int,
    start_offset: int,
    next_offset: int,
    topic_id: str | None,
    route: Route,
    position: int | None,
    target_topic_id: str | None,
    target_partition: int | None,
    target_offset: int | None,
    *,
    destination: str,
) -> Position:
    first = FIRST_REPLAY if route == "replays" else start_offset
    target = None
    if target_topic_id and target_partition is not None and target_offset is not None:
        target = PublishTarget(destination, target_topic_id, target_partition, target_offset)
    generation = PartitionGeneration(
        topic, topic_no, partition, start_offset, next_offset, topic_id
    )
    return Position(generation, route, first if position is None else position, target)


def save_positions(
    connection: Connection, positions: Iterable[tuple[Position, PublishTarget]]
) -> None:
    """Write positions. A stored position never decreases."""
    rows = [
        {
            "topic_no": position.generation.topic_no,
            "partition": position.generation.partition,
            "route": position.route,
            "next_position": position.next_position,
            **{f"destination_{name.name}": getattr(target, name.name) for name in fields(target)},
        }
        for position, target in positions
    ]
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        connection.execute(statement("publish/save_positions"), columns)


def read_ledger_offsets(connection: Connection, settings: Settings) -> dict[GenerationKey, int]:
    """Return the ledger's next offset of each generation that is published from."""
    rows = connection.execute(statement("publish/ledger"), _parameters(settings)).fetchall()
    return {(topic_no, partition): offset for topic_no, partition, offset in rows}


def read_targets(connection: Connection, settings: Settings) -> dict[Key, int]:
    """Return the positions at which everything that is stored now is published."""
    rows = connection.execute(statement("publish/targets"), _parameters(settings)).fetchall()
    return {(route, topic_no, partition): target for route, topic_no, partition, target in rows}


def read_lag(connection: Connection, settings: Settings) -> Lag:
    """Return the lag of publishing behind the ledger."""
    if not destinations(settings):
        return Lag(0, 0)
    row = connection.execute(statement("publish/lag"), _parameters(settings)).fetchone()
    return Lag(*row) if row else Lag(0, 0)


def _parameters(settings: Settings) -> dict[str, object]:
    return {"routes": list(destinations(settings)), "raw_topic": settings.raw_topic}
