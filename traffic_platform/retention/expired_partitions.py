"""Which partitions are too old: by when the newest of their rows arrived.

Raw is partitioned by arrival, so a day goes when it is old enough. A month of events goes when the
newest arrival in it is: history that was loaded today stays, whatever its date. A month of readings
goes after its events. What is not published stays, and so does everything that somebody uses for
longer than our patience: the next time will find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from traffic_platform.faults import FaultPoint, fault_points
from traffic_platform.postgres.event_partitions import (
    Connection,
    Parent,
    Partition,
    read_partitions,
)
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.publish.positions import read_positions
from traffic_platform.retention.drop_partition import ChangedError, drop
from traffic_platform.retention.partition_counts import Counted, count_partition
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

# From the arrival of a message to the commit of its batch.
_ARRIVAL_TO_COMMIT: Final = timedelta(hours=1)
_COUNTS: Final = 3  # times that a partition is counted while others still write to it


@dataclass(frozen=True)
class DroppedPartition:
    """A partition that is gone, how many rows it had, and the archive's files that hold them."""

    partition: Partition
    rows: int
    archives: tuple[str, ...] = ()


@dataclass
class Retired:
    """What retention did. `kept` says why a partition stays although its time is over."""

    dropped: list[DroppedPartition] = field(default_factory=list[DroppedPartition])
    kept: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Retention:
    """Retention over one connection of the writing role, in autocommit."""

    connection: Connection
    settings: Settings
    patience: LockRetry
    passed: Callable[[FaultPoint], None] = field(default_factory=fault_points)

    def drop_old(self, now: datetime) -> Retired:
        """Drop what the settings call too old. Raises psycopg.Error, ArchiveError."""
        retired = Retired()
        for parent, limit in self._limits(now):
            self._drop_old_of(parent, limit, retired)
        return retired

    def seem_old(self, now: datetime) -> list[Partition]:
        """What may be dropped, as far as can be told without reading it; nothing is changed."""
        published = published_until(self.connection, self.settings)
        return [
            partition
            for parent, limit in self._limits(now)
            for partition in self._over(parent, limit)
            if not self._why_it_stays(partition, limit)
            and (published is None or partition.upper <= published)
        ]

    def _limits(self, now: datetime) -> Iterator[tuple[Parent, datetime]]:
        """Of each table, the arrival up to which it is too old; none where it stays for ever."""
        days: tuple[tuple[Parent, int | None], ...] = (
            ("raw_events", self.settings.raw_days),
            ("processed_events", self.settings.processed_days),
            ("traffic_readings", self.settings.readings_days),
        )
        for parent, limit in days:
            if limit:
                yield parent, now - timedelta(days=limit)

    def _over(self, parent: Parent, limit: datetime) -> list[Partition]:
        """Partitions that ended before the limit, oldest first."""
        found = read_partitions(self.connection, parent)
        return [partition for partition in found if partition.upper <= limit]

    def _drop_old_of(self, parent: Parent, limit: datetime, retired: Retired) -> None:
        published = published_until(self.connection, self.settings)
        for partition in self._over(parent, limit):
            if self.patience.stop():
                break
            because = self._why_it_stays(partition, limit)
            because = because or self._retire(partition, limit, published, retired)
            if because:
                retired.kept[partition.name] = because
                if parent == "raw_events":
                    break  # of a log, what came first goes first

    def _why_it_stays(self, partition: Partition, limit: datetime) -> str | None:
        """What can be told without reading the partition."""
        bounds = {"lower": partition.lower, "upper": partition.upper}
        if partition.parent == "raw_events":
            return None
        if partition.parent == "traffic_readings":
            months = read_partitions(self.connection, "processed_events")
            if any(month.day == partition.day for month in months):
                return "its events are there"
            query = statement("retention/newest_dropped")
        else:
            query = statement("retention/newest_batch")
        row = self.connection.execute(query, bounds).fetchone()
        return _too_new(row[0] if row else None, limit)

    def _retire(
        self, partition: Partition, limit: datetime, published: datetime | None, retired: Retired
    ) -> str | None:
        """Drop a partition if it may go; why it stays."""
        for _ in range(_COUNTS):
            counted = count_partition(self.connection, partition, self.settings.timezone)
            because = _judge(partition, counted, limit, published)
            if because:
                return because
            try:
                archives = self._archive(partition, counted)
                end = partial(drop, self.connection, partition, counted, archives, self.passed)
                if not self.patience.run(end):
                    return "it is in use"
            except ChangedError:
                continue
            retired.dropped.append(DroppedPartition(partition, counted.rows, archives))
            return None
        return "somebody is writing to it"

    def _archive(self, partition: Partition, counted: Counted) -> tuple[str, ...]:
        """Files that hold the rows; none where nothing is archived."""
        if self.settings.archive is None or partition.parent != "raw_events" or not counted.rows:
            return ()
        # pyarrow is large, and most platforms archive nothing.
        from traffic_platform.archive.write import archive_day  # noqa: PLC0415

        bounds = partition.lower, partition.upper
        manifest = archive_day(self.connection, self.settings.archive, partition.day, bounds)
        self.passed("after_archive")
        if manifest is None or manifest.rows != counted.rows:
            raise ChangedError
        return (manifest.file,)


def published_until(connection: Connection, settings: Settings) -> datetime | None:
    """The arrival before which everything is published; None: nothing waits, or nothing has to."""
    positions = read_positions(connection, settings)
    parameters: dict[str, list[int]] = {}
    for route, prefix, number in (
        ("events", "", "positions"),
        ("replays", "replayed_", "replay_nos"),
    ):
        found = [position for position in positions if position.route == route]
        parameters |= {
            f"{prefix}topic_nos": [position.log.topic_no for position in found],
            f"{prefix}partitions": [position.log.partition for position in found],
            number: [position.next_position for position in found],
        }
    row = connection.execute(statement("retention/unpublished_since"), parameters).fetchone()
    return row[0] - _ARRIVAL_TO_COMMIT if row and row[0] else None


def _judge(
    partition: Partition, counted: Counted, limit: datetime, published: datetime | None
) -> str | None:
    if counted.unaudited:
        return f"{counted.unaudited} of its rows have no audit row: see `traffic verify`"
    newest = counted.newest_arrival
    if partition.parent != "raw_events" and (because := _too_new(newest, limit)):
        return because
    if newest is not None and published is not None and newest >= published:
        return f"what arrived since {published:%Y-%m-%d %H:%M} UTC may not be published yet"
    return None


def _too_new(newest: datetime | None, limit: datetime) -> str | None:
    if newest is None or newest <= limit:
        return None
    return f"its newest row arrived at {newest:%Y-%m-%d %H:%M} UTC"
