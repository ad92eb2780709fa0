"""Messages in Kafka that the positions are behind: rows of `traffic.published_ahead`.

They were published by a publisher that was killed before it saved its positions, or before a
restore or failover of PostgreSQL took the positions back. A message is named by the source offset
in its own header. Numbers of reprocessed events differ after a restore, and so may the decision
whether a message is an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from traffic_platform.postgres.connections import Connection
from traffic_platform.publish.rows import Events, Next
from traffic_platform.statements import statement

Stream = Literal["events", "quarantine"]


class Source(NamedTuple):
    """The source of a published message, and the kind of stream that holds it."""

    route: Stream
    topic_no: int
    partition: int
    offset: int


def has_ahead(connection: Connection) -> bool:
    """Return True when the table has a row."""
    row = connection.execute("select exists (select from traffic.published_ahead)").fetchone()
    return bool(row and row[0])


def remember(connection: Connection, sources: Sequence[Source]) -> None:
    """Insert messages that Kafka holds."""
    if sources:
        connection.execute(statement("publish/remember_ahead"), _columns(sources))


def forget(connection: Connection, sources: Sequence[Source]) -> None:
    """Delete messages that the saved positions are no longer behind."""
    if sources:
        connection.execute(statement("publish/forget_ahead"), _columns(sources))


def take_ahead(connection: Connection, following: Next) -> list[Source]:
    """Remove the messages that Kafka holds already from `following`, and return their sources."""
    taken: list[Source] = []
    following.events = _without(connection, following.events, taken)
    following.replays = _without(connection, following.replays, taken)
    rejected = [
        Source("quarantine", row.topic_no, row.partition, row.offset)
        for row in following.quarantined
    ]
    places = _find(connection, rejected)
    taken += [rejected[place] for place in places]
    following.quarantined = [
        row for place, row in enumerate(following.quarantined) if place not in places
    ]
    return taken


def _without(connection: Connection, events: Events | None, taken: list[Source]) -> Events | None:
    if events is None:
        return None
    columns = (events.topic_no.tolist(), events.partition.tolist(), events.offset.tolist())
    sources = [Source("events", *key) for key in zip(*columns, strict=True)]
    places = sorted(_find(connection, sources))
    if not places:
        return events
    taken += [sources[place] for place in places]
    kept = np.ones(len(events), dtype=np.bool_)
    kept[places] = False
    return events.take(kept) if kept.any() else None


def _find(connection: Connection, sources: Sequence[Source]) -> set[int]:
    """Return the places of those sources that Kafka holds already."""
    if not sources:
        return set()
    rows = connection.execute(statement("publish/find_ahead"), _columns(sources)).fetchall()
    return {place for (place,) in rows}


def _columns(sources: Sequence[Source]) -> dict[str, list[object]]:
    names = ("routes", "topic_nos", "partitions", "offsets")
    columns = zip(*sources, strict=True)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}
