"""The event tables against each other and against the audit rows, in set-based SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.snapshot import differences
from traffic_platform.verify.verify_report import Finding, VerifyReport

_PAGE = 10_000


def check_rows(connection: Connection, report: VerifyReport) -> None:
    """Check that each message has one raw row and one outcome, each reading its latest event.

    One pass counts the differences. Only where it counts some, further statements name the rows.
    """
    with report.check("every message has one outcome, every reading its latest event") as check:
        row = connection.execute(statement("verify/screen"), {}).fetchone()
        assert row is not None
        counts: dict[str, int] = dict(zip(_COUNTS, row, strict=True))
        check.rows = counts["raw"]
        report.rows = {"raw_events": counts["raw"], "traffic_readings": counts["readings"]}
        for name in _suspects(counts):
            if report.room > 0:
                report.add(differences(connection, name, report.room + 1))


_COUNTS = (
    "outcomes",
    "raw",
    "ended",
    "balanced",
    "winners",
    "readings",
    "raw_missing",
    "outcome_missing",
    "batch_differs",
    "reading_missing",
    "reading_unfounded",
    "reading_differs",
    "reading_overtaken",
)


def _suspects(counts: dict[str, int]) -> Iterator[LiteralString]:
    """Yield the statements that name the counted differences, causes before consequences."""
    doubled = counts["outcomes"] != counts["ended"] or not counts["balanced"]
    if doubled:
        yield "verify/raw_doubled"
    if counts["raw_missing"]:
        yield "verify/raw_missing"
    if counts["outcome_missing"]:
        yield "verify/outcome_missing"
    if doubled:
        yield "verify/outcome_doubled"
    if counts["batch_differs"]:
        yield "verify/batch_differs"
    if doubled or counts["winners"] != counts["readings"]:
        yield "verify/reading_doubled"
    if counts["reading_unfounded"]:
        yield "verify/reading_unfounded"
    if counts["reading_missing"]:
        yield "verify/reading_missing"
    if counts["reading_differs"]:
        yield "verify/reading_differs"
    if counts["reading_overtaken"]:
        yield "verify/reading_overtaken"
    if counts["winners"] != counts["readings"]:
        yield "verify/reading_source"


def check_audit(
    connection: Connection, report: VerifyReport, timezone: str, raw_topic: str
) -> None:
    """Compare audit rows with the rows that they count.

    `timezone` is the zone of event dates, `raw_topic` the topic whose events are published.
    """
    with report.check("each audit row counts its rows"):
        parameters = {"timezone": timezone, "folded_to": report.by_sums.folded_to}
        report.add(differences(connection, "verify/audit_rows", report.room + 1, **parameters))
    with report.check("each reprocessing accounts for its events"):
        report.add(differences(connection, "verify/replays", report.room + 1, raw_topic=raw_topic))
    with report.check("each backfill accounts for its changes"):
        report.add(differences(connection, "verify/rebuilds", report.room + 1))
    with report.check("each reading was inserted once"):
        report.add(differences(connection, "verify/audit_inserted", report.room + 1))


def check_references(connection: Connection, report: VerifyReport) -> None:
    """Compare quarantine with raw, readings with sensors, and sensors with their identifiers."""
    checks: tuple[tuple[str, LiteralString], ...] = (
        ("quarantine repeats its message", "verify/quarantine_differs"),
        ("every reading has its sensor", "verify/reading_sensors"),
        ("ids of readings are generated", "verify/reading_id_columns"),
    )
    for name, sql in checks:
        with report.check(name):
            report.add(differences(connection, sql, report.room + 1))
    with report.check("sensor ids follow from external ids") as check:
        check.rows = 0
        for rows, findings in _sensor_pages(connection):
            check.rows += rows
            report.add(findings)


def check_reading_ids(connection: Connection, report: VerifyReport) -> None:
    """Check `id`, `created_at` and `updated_at` of every reading, and the reading counts.

    Only a deep verification runs this, because it takes long.
    """
    with report.check("id and times of every reading"):
        report.add(differences(connection, "verify/reading_ids", report.room + 1))
    with report.check("reading counts match the readings"):
        report.add(differences(connection, "verify/reading_counts", report.room + 1))


def _sensor_pages(connection: Connection) -> Iterator[tuple[int, list[Finding]]]:
    with connection.cursor(name="verify_sensors") as cursor:
        cursor.execute(statement("verify/sensors"))
        while rows := cursor.fetchmany(_PAGE):
            yield (
                len(rows),
                [_sensor_finding(*row) for row in rows if sensor_uuid(row[1]) != row[0]],
            )


def _sensor_finding(sensor_id: UUID, external_id: str) -> Finding:
    expected = f"sensor_id {sensor_uuid(external_id)}, derived from external_id {external_id}"
    return Finding("sensors", {"sensor_id": sensor_id}, expected, "another")
