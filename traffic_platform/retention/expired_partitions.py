"""Expired partitions: those whose newest row arrived before the limit of the settings.

- A day of raw, which is partitioned by arrival, expires as a whole.
- A month of events expires with its newest arrival, so history that was loaded today stays.
- A month of readings expires after its events.

Unpublished rows are kept. A partition that is in use for too long is dropped by a later run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from traffic_platform.faults import FaultPoint, fault_points
from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.event_partitions import Parent, Partition, read_partitions
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.publish.positions import read_positions
from traffic_platform.retention.drop_partition import ChangedError, drop
from traffic_platform.retention.partition_counts import Counted, count_partition
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

# Upper bound of the time from a message's arrival to the commit of its batch.
_ARRIVAL_TO_COMMIT: Final = timedelta(hours=1)
_COUNTS: Final = 3  # attempts to count a partition that is being written to


@dataclass(frozen=True)
class DroppedPartition:
    """A dropped partition, its number of rows, and the archive's files that hold them."""

    partition: Partition
    rows: int
    archives: tuple[str, ...] = ()


@dataclass
class RetentionReport:
    """Dropped partitions, and the reasons for which ended ones were `kept`."""

    dropped: list[DroppedPartition] = field(default_factory=list[DroppedPartition])
    kept: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Retention:
    """Retention over one connection of the writing role, in autocommit."""

    connection: Connection
    settings: Settings
    lock_retry: LockRetry
    passed: Callable[[FaultPoint], None] = field(default_factory=fault_points)

    def drop_expired(self, now: datetime) -> RetentionReport:
        """Drop the expired partitions. Raises psycopg.Error, ArchiveError."""
        report = RetentionReport()
        for parent, limit in self._limits(now):
            self._drop_expired(parent, limit, report)
        return report

    def find_expired(self, now: datetime) -> list[Partition]:
        """Return partitions that are probably expired, without reading or changing them."""
        published = published_until(self.connection, self.settings)
        return [
            partition
            for parent, limit in self._limits(now)
            for partition in self._ended_before(parent, limit)
            if not self._reason_to_keep(partition, limit)
            and (published is None or partition.upper <= published)
        ]

    def _limits(self, now: datetime) -> Iterator[tuple[Parent, datetime]]:
        """Yield the arrival limit of each table that does not keep its rows for ever."""
        days: tuple[tuple[Parent, int | None], ...] = (
            ("raw_events", self.settings.raw_days),
            ("processed_events", self.settings.processed_days),
            ("traffic_readings", self.settings.readings_days),
        )
        for parent, limit in days:
            if limit:
                yield parent, now - timedelta(days=limit)

    def _ended_before(self, parent: Parent, limit: datetime) -> list[Partition]:
        """Return partitions that ended before the limit, oldest first."""
        found = read_partitions(self.connection, parent)
        return [partition for partition in found if partition.upper <= limit]

    def _drop_expired(self, parent: Parent, limit: datetime, report: RetentionReport) -> None:
        published = published_until(self.connection, self.settings)
        for partition in self._ended_before(parent, limit):
            if self.lock_retry.stop():
                break
            reason = self._reason_to_keep(partition, limit)
            reason = reason or self._retire(partition, limit, published, report)
            if reason:
                report.kept[partition.name] = reason
                if parent == "raw_events":
                    break  # raw is dropped in the order of arrival

    def _reason_to_keep(self, partition: Partition, limit: datetime) -> str | None:
        """Return a reason to keep the partition that needs no read of it, else None."""
        bounds = {"lower": partition.lower, "upper": partition.upper}
        if partition.parent == "raw_events":
            return None
        if partition.parent == "traffic_readings":
            months = read_partitions(self.connection, "processed_events")
            if any(month.day == partition.day for month in months):
                return "its events are kept"
            query = statement("retention/newest_dropped")
        else:
            query = statement("retention/newest_batch")
        row = self.connection.execute(query, bounds).fetchone()
        return _too_new(row[0] if row else None, limit)

    def _retire(
        self,
        partition: Partition,
        limit: datetime,
        published: datetime | None,
        report: RetentionReport,
    ) -> str | None:
        """Drop a partition, or return the reason to keep it."""
        for _ in range(_COUNTS):
            counted = count_partition(self.connection, partition, self.settings.timezone)
            reason = _judge(partition, counted, limit, published)
            if reason:
                return reason
            try:
                archives = self._archive(partition, counted)
                attempt = partial(drop, self.connection, partition, counted, archives, self.passed)
                if not self.lock_retry.run(attempt):
                    return "it is in use"
            except ChangedError:
                continue
            report.dropped.append(DroppedPartition(partition, counted.rows, archives))
            return None
        return "it is being written to"

    def _archive(self, partition: Partition, counted: Counted) -> tuple[str, ...]:
        """Archive a partition of raw and return its files; empty where nothing is archived."""
        if self.settings.archive is None or partition.parent != "raw_events" or not counted.rows:
            return ()
        # pyarrow is large, and most platforms have no archive.
        from traffic_platform.archive.write import archive_day  # noqa: PLC0415

        bounds = partition.lower, partition.upper
        manifest = archive_day(self.connection, self.settings.archive, partition.day, bounds)
        self.passed("after_archive")
        if manifest is None or manifest.rows != counted.rows:
            raise ChangedError
        return (manifest.file,)


def published_until(connection: Connection, settings: Settings) -> datetime | None:
    """Return the arrival before which every event is published, None when none is waiting."""
    positions = read_positions(connection, settings)
    parameters: dict[str, list[int]] = {}
    for route, prefix, number in (
        ("events", "", "positions"),
        ("replays", "replayed_", "replay_nos"),
    ):
        found = [position for position in positions if position.route == route]
        parameters |= {
            f"{prefix}topic_nos": [position.generation.topic_no for position in found],
            f"{prefix}partitions": [position.generation.partition for position in found],
            number: [position.next_position for position in found],
        }
    row = connection.execute(statement("retention/unpublished_since"), parameters).fetchone()
    return row[0] - _ARRIVAL_TO_COMMIT if row and row[0] else None


def _judge(
    partition: Partition, counted: Counted, limit: datetime, published: datetime | None
) -> str | None:
    if counted.unaudited:
        return f"{counted.unaudited} of its rows have no audit row; run `traffic verify`"
    newest = counted.newest_arrival
    if partition.parent != "raw_events" and (reason := _too_new(newest, limit)):
        return reason
    if newest is not None and published is not None and newest >= published:
        return f"rows that arrived since {published:%Y-%m-%d %H:%M} UTC may not be published yet"
    return None


def _too_new(newest: datetime | None, limit: datetime) -> str | None:
    if newest is None or newest <= limit:
        return None
    return f"its newest row arrived at {newest:%Y-%m-%d %H:%M} UTC"
