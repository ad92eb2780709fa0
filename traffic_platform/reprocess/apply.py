"""The transaction that corrects the event tables by staged differences.

A backfill writes the differences of one date. Reprocessing writes those of one chunk of rejected
messages. Both hold the backfill lock exclusively meanwhile. Ingest runs hold it shared, so that a
live reading cannot lose to one that is about to change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, LiteralString, TypeVar

import psycopg

from traffic_platform.event_tables.audit import DateCounts, PartitionAudit
from traffic_platform.event_tables.retries import Retries
from traffic_platform.event_tables.write import BACKFILL_LOCK, Cursor, Tables, write_audit
from traffic_platform.events.rules import Rules
from traffic_platform.faults import FaultPoint, fault_points
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

Partition = tuple[int, int]  # topic_no, partition
Record = tuple[int, int, int, str, date, str, date]
"""topic_no, partition, offset; the outcome before and its date; the outcome after and its date."""
T = TypeVar("T")

Kind = Literal["backfill", "reprocess"]
_RESOLUTIONS: Final[dict[Kind, str]] = {"backfill": "rebuilt", "reprocess": "replayed"}
_FAULT_POINTS: Final[dict[Kind, tuple[FaultPoint, FaultPoint]]] = {
    "backfill": ("before_backfill_commit", "after_backfill_commit"),
    "reprocess": ("before_reprocess_commit", "after_reprocess_commit"),
}
_EVENT_STEPS: tuple[LiteralString, ...] = (
    "reprocess/delete_events",
    "reprocess/change_events",
    "reprocess/insert_events",
    "reprocess/resolve",
    "reprocess/quarantine_events",
    "reprocess/rejudge",
)


@dataclass
class WrittenReadings:
    """Numbers of readings that a transaction removed, changed and added.

    By partition of their events, `inserted` counts added readings less removed ones. `updated` and
    `unchanged` count readings that another event gives now, with other or with equal measures.
    """

    removed: int = 0
    changed: int = 0
    added: int = 0
    inserted: Counter[Partition] = field(default_factory=Counter[Partition])
    updated: Counter[Partition] = field(default_factory=Counter[Partition])
    unchanged: Counter[Partition] = field(default_factory=Counter[Partition])

    @property
    def any(self) -> bool:
        """True if a row was written."""
        return bool(self.removed or self.changed or self.added)


class Correction:
    """One transaction, with the steps that backfills and reprocessing share."""

    def __init__(self, cursor: Cursor, kind: Kind, parameters: dict[str, object]) -> None:
        self.cursor = cursor
        self.parameters = parameters
        self._kind: Kind = kind

    def run(self, name: LiteralString, **more: object) -> Cursor:
        """Execute a statement with the parameters of the transaction."""
        return self.cursor.execute(statement(name), self.parameters | more)

    def write_events(self) -> None:
        """Write the changes of `event_changes` to events and quarantine, and number new events."""
        for step in _EVENT_STEPS:
            self.run(step, resolution=_RESOLUTIONS[self._kind])
        keys = self.run("reprocess/entered_keys").fetchone()
        assert keys is not None
        names = ("topic_no", "partition", "offset", "event_no")
        entered = dict(zip(names, keys, strict=True))
        self.run("reprocess/number_reprocessed", **entered)

    def write_readings(self) -> WrittenReadings:
        """Write the changes of `reading_changes` to the readings, and mark their buckets dirty."""
        removed = self.run("reprocess/delete_readings").fetchall()
        changed = self.run("reprocess/change_readings").fetchall()
        added = self.run("reprocess/insert_readings").fetchall()
        written = WrittenReadings(len(removed), len(changed), len(added))
        for rows, sign in ((removed, -1), (added, 1)):
            for _, _, topic_no, partition in rows:
                if topic_no is not None:
                    written.inserted[topic_no, partition] += sign
        for _, _, topic_no, partition, measures_changed in changed:
            counter = written.updated if measures_changed else written.unchanged
            counter[topic_no, partition] += 1
        dirty = sorted({(row[0], _bucket(row[1])) for row in (*removed, *changed, *added)})
        if dirty:
            self.run(
                "event_tables/append_dirty_buckets",
                sensor_ids=[sensor_id for sensor_id, _ in dirty],
                buckets=[bucket for _, bucket in dirty],
            )
        return written

    def write_audit(self, audits: Iterable[PartitionAudit]) -> None:
        """Write audit rows with signed differences from those of earlier batches."""
        shared = self.parameters
        write_audit(
            self.cursor,
            audits,
            shared["batch_id"],  # pyright: ignore[reportArgumentType]
            shared["run_id"],  # pyright: ignore[reportArgumentType]
            shared["rules_version"],  # pyright: ignore[reportArgumentType]
            kind=self._kind,
            committed_at=shared["moment"],  # pyright: ignore[reportArgumentType]
        )


class Corrector:
    """Commits corrections over one connection in autocommit."""

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        kind: Kind,
        *,
        raw_topic: str,
        run_id: str | None = None,
    ) -> None:
        self._connection = connection
        self._kind: Kind = kind
        self._shared: dict[str, object] = {
            "rules_version": rules.version,
            "raw_topic": raw_topic,
            "run_id": run_id,
        }
        self._tables = Tables(connection, rules.unknown_sensors)
        self._passed = fault_points()

    def commit(
        self,
        what: str,
        prepare: Callable[[Tables], None],
        write: Callable[[Correction], T],
        parameters: dict[str, object],
    ) -> T:
        """Run `write` in a transaction that holds the backfill lock, and return its result.

        `prepare` creates the partitions and sensors that the rows need, in transactions before it.
        Both are repeated when another session makes the transaction fail. Raises psycopg.Error:
        nothing has changed then, unless the answer to the COMMIT was lost.
        """
        [batch_id] = self._tables.reserve_batch_ids(1)
        retries = Retries(self._tables, what)
        before, after = _FAULT_POINTS[self._kind]
        while True:
            try:
                prepare(self._tables)
                with self._connection.transaction():
                    cursor = self._connection.cursor()
                    cursor.execute("select pg_advisory_xact_lock(%s)", (BACKFILL_LOCK,))
                    # The server's clock, because all processes that write corrections agree on it.
                    row = cursor.execute("select clock_timestamp()").fetchone()
                    assert row is not None
                    shared = self._shared | {"batch_id": batch_id, "moment": row[0]} | parameters
                    result = write(Correction(cursor, self._kind, shared))
                    self._passed(before)
            except psycopg.Error as error:
                retries.after(error)
            else:
                self._passed(after)
                return result


def audits_of(
    records: Iterable[Record],
    inserted: Mapping[Partition, int],
    updated: Mapping[Partition, int] = MappingProxyType({}),
    unchanged: Mapping[Partition, int] = MappingProxyType({}),
) -> list[PartitionAudit]:
    """Return signed differences, one audit row for each partition that has a record.

    Events that came or left beyond these numbers of readings count as superseded.
    """
    dates: defaultdict[Partition, dict[date, DateCounts]] = defaultdict(dict)
    offsets: defaultdict[Partition, list[int]] = defaultdict(list)
    for topic_no, partition, offset, was, was_date, becomes, event_date in records:
        key = topic_no, partition
        offsets[key].append(offset)
        _count(dates[key].setdefault(was_date, DateCounts()), was, -1)
        _count(dates[key].setdefault(event_date, DateCounts()), becomes, 1)
    audits: list[PartitionAudit] = []
    for key, days in sorted(dates.items()):
        first, last = min(offsets[key]), max(offsets[key])
        audit = PartitionAudit(
            topic="",
            advance=LedgerAdvance(*key, first, last + 1, leader_epoch=None, seen_end=None),
            delivered=0,
            raw=0,
            echoes=0,
            processed=sum(day.processed for day in days.values()),
            quarantined=sum(day.quarantined for day in days.values()),
            new=0,
            dates=days,
            inserted=inserted.get(key, 0),
            updated=updated.get(key, 0),
            unchanged=unchanged.get(key, 0),
        )
        audit.superseded = audit.processed - audit.inserted - audit.updated - audit.unchanged
        audits.append(audit)
    return audits


def _count(counts: DateCounts, outcome: str, number: int) -> None:
    counts.raw += number
    if outcome == "processed":
        counts.processed += number
    else:
        counts.quarantined += number


def _bucket(time: datetime) -> datetime:
    """Return the start of the 5 minutes that a time lies in."""
    return time - timedelta(
        minutes=time.minute % 5, seconds=time.second, microseconds=time.microsecond
    )
