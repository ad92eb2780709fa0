"""How far each log is published: rows of `traffic.publications`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

import psycopg

from traffic_platform.kafka.transactional_producer import PublishTarget
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Route = Literal["events", "replays", "quarantine"]
Key = tuple[Route, int, int]  # route, topic_no, partition
Connection = psycopg.Connection[Any]

FIRST_REPLAY = 1


@dataclass(frozen=True)
class PartitionGeneration:
    """A log of the ledger; `next_offset` is how far it is stored."""

    topic: str
    topic_no: int
    partition: int
    start_offset: int
    next_offset: int


@dataclass
class Position:
    """How far a route of a log is published, and where to; `known` is what PostgreSQL says.

    `next_position` is the first source offset (for replays: number) that is not published.
    """

    log: PartitionGeneration
    route: Route
    next_position: int
    known: PublishTarget | None

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.route, self.log.topic_no, self.log.partition


@dataclass(frozen=True)
class Lag:
    """What is not published yet: source offsets, and events that replays let in."""

    offsets: int
    replays: int

    @property
    def total(self) -> int:
        """Both."""
        return self.offsets + self.replays


def publisher_lock(settings: Settings) -> str:
    """The name, in place of a topic's, of the lock that a publisher holds."""
    return f"publish:{settings.raw_topic}"


def destinations(settings: Settings) -> dict[Route, str]:
    """The topic of each route that these settings want; none where nothing is published."""
    wanted: dict[Route, str] = {}
    if settings.publish:
        wanted |= {"events": settings.events_topic, "replays": settings.events_topic}
    if settings.quarantine_topic is not None:
        wanted["quarantine"] = settings.quarantine_topic
    return wanted


def read_positions(connection: Connection, settings: Settings) -> list[Position]:
    """The positions of all routes of all logs, by partition, oldest log first."""
    rows = connection.execute(statement("publish/logs"), _parameters(settings)).fetchall()
    wanted = destinations(settings)
    return [_position(*row, destination=wanted[row[5]]) for row in rows]


def _position(
    topic: str,
    topic_no: int,
    partition: int,
    start_offset: int,
    next_offset: int,
    route: Route,
    position: int | None,
    topic_id: str | None,
    place: int | None,
    place_offset: int | None,
    *,
    destination: str,
) -> Position:
    first = FIRST_REPLAY if route == "replays" else start_offset
    known = None
    if topic_id is not None and place is not None and place_offset is not None:
        known = PublishTarget(destination, topic_id, place, place_offset)
    log = PartitionGeneration(topic, topic_no, partition, start_offset, next_offset)
    return Position(log, route, first if position is None else position, known)


def save_positions(
    connection: Connection, positions: Iterable[tuple[Position, PublishTarget]]
) -> None:
    """Write positions; none of them ever falls."""
    rows = [
        {
            "topic_no": position.log.topic_no,
            "partition": position.log.partition,
            "route": position.route,
            "next_position": position.next_position,
            **{f"destination_{name.name}": getattr(place, name.name) for name in fields(place)},
        }
        for position, place in positions
    ]
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        connection.execute(statement("publish/save_positions"), columns)


def read_ledger_offsets(connection: Connection, settings: Settings) -> dict[tuple[int, int], int]:
    """How far the logs that are published from are stored, by topic_no and partition."""
    rows = connection.execute(statement("publish/ledger"), _parameters(settings)).fetchall()
    return {(topic_no, partition): offset for topic_no, partition, offset in rows}


def read_lag(connection: Connection, settings: Settings) -> Lag:
    """How far publishing is behind the ledger."""
    if not destinations(settings):
        return Lag(0, 0)
    row = connection.execute(statement("publish/lag"), _parameters(settings)).fetchone()
    return Lag(*row) if row else Lag(0, 0)


def _parameters(settings: Settings) -> dict[str, object]:
    return {"routes": list(destinations(settings)), "raw_topic": settings.raw_topic}
