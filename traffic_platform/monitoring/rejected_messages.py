"""Quarantined messages: counts by reason, lists, and single messages with their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString, TypeVar

from psycopg.rows import class_row

from traffic_platform.errors import translated
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class QuarantineFilter:
    """Selection of messages; None selects all.

    `day` is the day of arrival in the platform's zone, and `sensor` an external id that is the
    message's key or its `sensor_id`. `resolved` includes resolved messages.
    """

    reason: str | None = None
    day: date | None = None
    sensor: str | None = None
    resolved: bool = False


@dataclass(frozen=True)
class ReasonCount:
    """Number of messages quarantined for a reason, with the oldest and newest arrival."""

    reason: str
    messages: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class QuarantinedMessage:
    """A quarantined message without its bytes."""

    topic: str
    topic_no: int
    partition: int
    offset: int
    reason: str
    detail: str
    arrived: datetime
    resolved_at: datetime | None

    @property
    def id(self) -> str:
        """The argument of `traffic quarantine show`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True)
class QuarantinedBytes:
    """A quarantined message with its original bytes and its source."""

    topic: str
    topic_no: int
    kafka_topic_id: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: list[bytes | None] | None
    broker_timestamp: datetime | None
    ingested_at: datetime | None
    quarantined_at: datetime
    batch_id: int
    run_id: str | None
    rules_version: str | None
    resolved_at: datetime | None
    resolution: str | None


def count_reasons(settings: Settings, which: QuarantineFilter) -> list[ReasonCount]:
    """Count messages by reason, the most frequent first.

    Raises TransientError or PermanentError.
    """
    parameters = filter_parameters(settings, which)
    return _read(settings, ReasonCount, "monitoring/count_rejections", parameters)


def list_messages(
    settings: Settings, which: QuarantineFilter, limit: int
) -> list[QuarantinedMessage]:
    """Return the newest `limit` messages. Raises TransientError or PermanentError."""
    parameters = {**filter_parameters(settings, which), "limit": limit}
    return _read(settings, QuarantinedMessage, "monitoring/list_rejected", parameters)


def read_messages(
    settings: Settings, topic: str, partition: int, offset: int
) -> list[QuarantinedBytes]:
    """Return the message at an offset; of a recreated topic several, the newest first.

    Raises TransientError or PermanentError.
    """
    parameters = {"topic": topic, "partition": partition, "offset": offset}
    return _read(settings, QuarantinedBytes, "monitoring/read_rejected", parameters)


def _read(
    settings: Settings, row: type[_Row], name: LiteralString, parameters: Mapping[str, object]
) -> list[_Row]:
    url = settings.endpoints().read_url
    with (
        translated(),
        connect(url, application_name="traffic quarantine") as connection,
        connection.cursor(row_factory=class_row(row)) as cursor,
    ):
        return cursor.execute(statement(name), parameters).fetchall()


def filter_parameters(settings: Settings, which: QuarantineFilter) -> dict[str, object]:
    """Return the parameters of the statements in sql/monitoring."""
    return {
        "reason": which.reason,
        "date": which.day,
        "sensor": which.sensor,
        "resolved": which.resolved,
        "timezone": settings.timezone,
    }
