"""The comparison of one date, and the transaction that makes it what it should be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from traffic_platform.event_tables.audit import DateCounts, PartitionAudit
from traffic_platform.event_tables.reading_counts import correct_counts
from traffic_platform.event_tables.retries import Retries
from traffic_platform.event_tables.write import BACKFILL_LOCK, Cursor, Tables, write_audit
from traffic_platform.events.dates import day_bounds
from traffic_platform.events.rules import Rules
from traffic_platform.faults import fault_points
from traffic_platform.ledger.offsets import LedgerAdvance
from traffic_platform.reprocess.backfill_report import DateReport
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]
Place = tuple[int, int]  # topic_no, partition

_EVENT_STEPS: tuple[LiteralString, ...] = (
    "reprocess/delete_events",
    "reprocess/change_events",
    "reprocess/insert_events",
    "reprocess/resolve",
    "reprocess/quarantine_events",
)


@dataclass
class _Written:
    """What a transaction did, for its audit rows."""

    records: list[tuple[int, int, int, str, date, str, date]] = field(default_factory=list)
    readings: Counter[Place] = field(default_factory=Counter[Place])


class Dates:
    """Compares and rebuilds the dates that are staged on a connection in autocommit."""

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        raw_topic: str,
        *,
        positions: Sequence[tuple[int, int, int]],
        sensors: Mapping[bytes, str],
        run_id: str | None,
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._raw_topic = raw_topic
        self._sensors = sensors
        self._run_id = run_id
        self._positions = {
            "topic_nos": [row[0] for row in positions],
            "partitions": [row[1] for row in positions],
            "positions": [row[2] for row in positions],
        }
        self._passed = fault_points()

    def compare(self, day: date, *, events: bool, readings: bool) -> DateReport:
        """Find what differs at a date, beside everybody else; nothing is written."""
        with self._connection.transaction():
            cursor = self._connection.cursor()
            cursor.execute(
                "truncate pg_temp.event_changes, pg_temp.reading_changes, pg_temp.neighbours"
            )
            if events:
                cursor.execute(statement("reprocess/find_event_changes"), self._of(day))
                cursor.execute("analyze pg_temp.event_changes")
                cursor.execute(statement("reprocess/find_neighbours"), self._of(day))
            if readings:
                cursor.execute(statement("reprocess/find_reading_changes"), self._of(day))
            cursor.execute("analyze pg_temp.event_changes, pg_temp.reading_changes")
            return self._count(cursor, day, events=events)

    def apply(self, found: DateReport, *, events: bool) -> DateReport:
        """Write what `compare` has found last; returns what was written.

        Raises what the driver raises; then nothing of the date has changed, unless it was the
        COMMIT whose answer was lost.
        """
        tables = Tables(self._connection, self._rules.unknown_sensors)
        [batch_id] = tables.reserve_batch_ids(1)
        retries = Retries(tables, f"date {found.date}")
        while True:
            try:
                self._prepare(tables, found.date)
                with self._connection.transaction():
                    report = self._write(found, batch_id, events=events)
                    self._passed("before_rebuild_commit")
            except psycopg.Error as error:
                retries.after(error)
            else:
                self._passed("after_rebuild_commit")
                return report

    def take_over(self, dates: Sequence[date]) -> None:
        """Batches all of whose dates were rebuilt count as decided by today's rules."""
        with self._connection.transaction():
            self._connection.execute(
                statement("reprocess/take_over_rules"),
                {**self._positions, "dates": list(dates), "rules_version": self._rules.version},
            )

    def _of(self, day: date) -> dict[str, object]:
        first, until = day_bounds(day, self._rules.timezone)
        return {
            "day": day,
            "first": first,
            "until": until,
            "timezone": self._rules.timezone,
            "rules_version": self._rules.version,
        }

    def _count(self, cursor: Cursor, day: date, *, events: bool) -> DateReport:
        report = DateReport(day)
        kinds: Counter[str] = Counter()
        rows = cursor.execute(statement("reprocess/count_events"), {"day": day}).fetchall()
        for kind, number, moved in rows:
            kinds[kind] += number
            report.moved += moved
        _fill_events(report, kinds)
        rows = cursor.execute(
            "select kind, count(*) from pg_temp.reading_changes group by kind"
        ).fetchall()
        readings: dict[str, int] = dict(rows)
        report.readings_added = readings.get("add", 0)
        report.readings_changed = readings.get("change", 0)
        report.readings_removed = readings.get("remove", 0)
        if events:
            report.rejudged += _number(cursor, "reprocess/count_rejudged", {"day": day})
        report.events_compared = _number(cursor, "reprocess/count_due", {"day": day})
        return report

    def _prepare(self, tables: Tables, day: date) -> None:
        row = self._connection.execute(statement("reprocess/prepare"), {"day": day}).fetchone()
        months, sensors = row or (None, None)
        wanted: Iterable[UUID] = sensors or ()
        names = {
            key.bytes: self._sensors[key.bytes] for key in wanted if key.bytes in self._sensors
        }
        tables.prepare_events(set(months or ()), names)

    def _write(self, found: DateReport, batch_id: int, *, events: bool) -> DateReport:
        day, cursor = found.date, self._connection.cursor()
        cursor.execute("select pg_advisory_xact_lock(%s)", (BACKFILL_LOCK,))
        row = cursor.execute("select clock_timestamp()").fetchone()
        assert row is not None
        of_batch = {
            **self._of(day),
            "batch_id": batch_id,
            "moment": row[0],
            "raw_topic": self._raw_topic,
        }
        cursor.execute(statement("reprocess/forget_resolved"))
        report = self._count(cursor, day, events=events)
        report.raw_restored = found.raw_restored
        written = _Written()
        if events:
            for step in _EVENT_STEPS:
                cursor.execute(statement(step), of_batch)
            cursor.execute(statement("reprocess/rejudge"), of_batch)
            keys = cursor.execute(statement("reprocess/entered_keys")).fetchone()
            assert keys is not None
            entered = dict(zip(("topic_no", "partition", "offset"), keys, strict=True))
            cursor.execute(statement("reprocess/number_reprocessed"), {**of_batch, **entered})
            cursor.execute(statement("reprocess/record"), of_batch)
            written.records = cursor.fetchall()
            cursor.execute(statement("reprocess/follow_moves"), of_batch)
        cursor.execute(statement("reprocess/catch_up"), {**of_batch, **self._positions})
        self._write_readings(cursor, of_batch, report, written)
        of_log = {**of_batch, **report.figures(), "run_id": self._run_id}
        cursor.execute(statement("reprocess/generation"), of_log)
        audits = _audits(written)
        if audits:
            write_audit(
                cursor,
                audits,
                batch_id,
                self._run_id,
                self._rules.version,
                kind="rebuild",
                committed_at=row[0],
            )
        return report

    def _write_readings(
        self, cursor: Cursor, of_batch: dict[str, object], report: DateReport, written: _Written
    ) -> None:
        removed = cursor.execute(statement("reprocess/delete_readings"), of_batch).fetchall()
        changed = cursor.execute(statement("reprocess/change_readings"), of_batch).fetchall()
        added = cursor.execute(statement("reprocess/insert_readings"), of_batch).fetchall()
        report.readings_removed = len(removed)
        report.readings_changed = len(changed)
        report.readings_added = len(added)
        for rows, sign in ((removed, -1), (added, 1)):
            for _, _, topic_no, partition in rows:
                if topic_no is not None:
                    written.readings[topic_no, partition] += sign
        pairs = {(row[0], _bucket(row[1])) for row in (*removed, *changed, *added)}
        if pairs:
            first, until = day_bounds(report.date, self._rules.timezone)
            correct_counts(self._connection, first, until)
            dirty = sorted(pairs)
            cursor.execute(
                statement("event_tables/append_dirty_buckets"),
                {"sensor_ids": [pair[0] for pair in dirty], "buckets": [pair[1] for pair in dirty]},
            )


def _bucket(moment: datetime) -> datetime:
    """The start of the 5 minutes that a time lies in."""
    return moment - timedelta(
        minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond
    )


def _fill_events(report: DateReport, kinds: Mapping[str, int]) -> None:
    report.entered = kinds.get("enter", 0)
    report.left = kinds.get("leave", 0)
    report.events_added = report.entered + kinds.get("restore", 0)
    report.events_changed = kinds.get("change", 0)
    report.events_removed = report.left + kinds.get("remove", 0)
    report.rejudged = kinds.get("restore_quarantined", 0)


def _number(cursor: Cursor, name: LiteralString, parameters: dict[str, object]) -> int:
    row = cursor.execute(statement(name), parameters).fetchone()
    assert row is not None
    return int(row[0])


def _audits(written: _Written) -> list[PartitionAudit]:
    """Signed differences, a row for each partition of a log that something was recorded of."""
    dates: defaultdict[Place, dict[date, DateCounts]] = defaultdict(dict)
    offsets: defaultdict[Place, list[int]] = defaultdict(list)
    for topic_no, partition, offset, was, was_date, becomes, event_date in written.records:
        place = topic_no, partition
        offsets[place].append(offset)
        _add(dates[place].setdefault(was_date, DateCounts()), was, -1)
        _add(dates[place].setdefault(event_date, DateCounts()), becomes, 1)
    audits: list[PartitionAudit] = []
    for (topic_no, partition), days in sorted(dates.items()):
        found = offsets[topic_no, partition]
        processed = sum(day.processed for day in days.values())
        audit = PartitionAudit(
            topic="",
            advance=LedgerAdvance(topic_no, partition, min(found), max(found) + 1, None, None),
            delivered=0,
            raw=0,
            echoes=0,
            processed=processed,
            quarantined=sum(day.quarantined for day in days.values()),
            replaced=0,
            new=0,
            dates=days,
            inserted=written.readings[topic_no, partition],
        )
        audit.unchanged = audit.processed - audit.inserted
        audits.append(audit)
    return audits


def _add(counts: DateCounts, outcome: str, number: int) -> None:
    counts.raw += number
    if outcome == "processed":
        counts.processed += number
    else:
        counts.quarantined += number
