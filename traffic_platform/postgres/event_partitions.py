"""A partition of one of the three event tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import psycopg

from traffic_platform.statements import statement

Parent = Literal["raw_events", "processed_events", "traffic_readings"]
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, order=True)
class Partition:
    """A day of raw (by arrival), or a month of processed or readings (by the event's time); UTC.

    `day` is its first one.
    """

    day: date
    parent: Parent

    @property
    def name(self) -> str:
        """Its table in the schema `traffic`, as `traffic.ensure_partition` names it."""
        form = "%Y%m%d" if self.parent == "raw_events" else "%Y%m"
        return f"{self.parent}_{self.day.strftime(form)}"

    @property
    def lower(self) -> datetime:
        """The first moment that belongs to it."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    @property
    def upper(self) -> datetime:
        """The first moment after it."""
        if self.parent == "raw_events":
            return self.lower + timedelta(days=1)
        return next_month(self.lower)


def next_month(moment: datetime) -> datetime:
    """The beginning of the month after the one that a moment lies in."""
    return (moment.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def read_partitions(connection: Connection, parent: Parent) -> list[Partition]:
    """The partitions of a table that are there, oldest first."""
    rows = connection.execute(statement("postgres/event_partitions"), {"parent": parent}).fetchall()
    return [Partition(day, parent) for day, _ in rows]
