"""Partitions of the three event tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

Parent = Literal["raw_events", "processed_events", "traffic_readings"]


@dataclass(frozen=True, order=True)
class Partition:
    """A UTC day of raw (by arrival), or a UTC month of processed or readings (by event time).

    `day` is the first day.
    """

    day: date
    parent: Parent

    @property
    def name(self) -> str:
        """Name of its table in the schema `traffic`, as `traffic.ensure_partition` names it."""
        form = "%Y%m%d" if self.parent == "raw_events" else "%Y%m"
        return f"{self.parent}_{self.day.strftime(form)}"

    @property
    def lower(self) -> datetime:
        """First instant of the partition."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    @property
    def upper(self) -> datetime:
        """First instant after the partition."""
        if self.parent == "raw_events":
            return self.lower + timedelta(days=1)
        return next_month(self.lower)


def next_month(time: datetime) -> datetime:
    """Return the start of the month after the month of `time`."""
    return (time.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def read_partitions(connection: Connection, parent: Parent) -> list[Partition]:
    """Return the existing partitions of a table, oldest first."""
    rows = connection.execute(statement("postgres/event_partitions"), {"parent": parent}).fetchall()
    return [Partition(day, parent) for day, _ in rows]
