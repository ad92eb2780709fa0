"""The differences of one date between the event tables and the staged outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import LiteralString
from uuid import UUID

from traffic_platform.event_tables.reading_counts import correct_counts
from traffic_platform.event_tables.write import Cursor, Tables
from traffic_platform.events.dates import day_bounds
from traffic_platform.events.rules import Rules
from traffic_platform.postgres.connections import Connection
from traffic_platform.reprocess.apply import Correction, Corrector, Record, audits_of
from traffic_platform.reprocess.backfill_report import DateReport
from traffic_platform.statements import statement


class Dates:
    """Compares and corrects the dates that are staged on a connection in autocommit.

    `positions` are (topic_no, partition, next_offset) of the ledger before the messages were
    staged: events that ingest runs commit later are not among them.
    """

    def __init__(
        self,
        connection: Connection,
        rules: Rules,
        raw_topic: str,
        positions: Sequence[tuple[int, int, int]],
        sensors: Mapping[bytes, str],
        run_id: str | None,
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._sensors = sensors
        self._corrector = Corrector(
            connection, rules, "backfill", raw_topic=raw_topic, run_id=run_id
        )
        self._positions = {
            "topic_nos": [row[0] for row in positions],
            "partitions": [row[1] for row in positions],
            "positions": [row[2] for row in positions],
        }

    def compare(self, day: date, *, events: bool, readings: bool) -> DateReport:
        """Find the differences of a date beside ingest runs; nothing is written."""
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
            report = self._report(cursor, day, events=events)
            report.events_compared = _number(cursor, "reprocess/count_due", {"day": day})
            return report

    def apply(self, found: DateReport, *, events: bool) -> DateReport:
        """Write the differences that `compare` found last; return the numbers of written rows.

        Raises psycopg.Error: nothing of the date has changed then, unless the answer to the COMMIT
        was lost.
        """
        return self._corrector.commit(
            f"date {found.date}",
            lambda tables: self._prepare(tables, found.date),
            lambda correction: self._write(correction, found, events=events),
            self._of(found.date),
        )

    def take_over(self, dates: Sequence[date]) -> None:
        """Mark batches as decided by today's rules, if a backfill covers all of their dates."""
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

    def _report(self, cursor: Cursor, day: date, *, events: bool) -> DateReport:
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
        return report

    def _prepare(self, tables: Tables, day: date) -> None:
        row = self._connection.execute(statement("reprocess/prepare"), {"day": day}).fetchone()
        months, sensors = row or (None, None)
        wanted: Iterable[UUID] = sensors or ()
        names = {
            key.bytes: self._sensors[key.bytes] for key in wanted if key.bytes in self._sensors
        }
        tables.prepare_events(set(months or ()), names)

    def _write(self, correction: Correction, found: DateReport, *, events: bool) -> DateReport:
        correction.run("reprocess/forget_resolved")
        report = self._report(correction.cursor, found.date, events=events)
        report.raw_restored, report.events_compared = found.raw_restored, found.events_compared
        records: list[Record] = []
        if events:
            correction.write_events()
            records = correction.run("reprocess/record").fetchall()
            correction.run("reprocess/follow_moves")
        correction.run("reprocess/catch_up", **self._positions)
        written = correction.write_readings()
        report.readings_removed = written.removed
        report.readings_changed = written.changed
        report.readings_added = written.added
        if written.any:
            correct_counts(self._connection, *day_bounds(found.date, self._rules.timezone))
        correction.run("reprocess/record_rebuild", **report.figures())
        correction.write_audit(audits_of(records, written.inserted))
        return report


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
