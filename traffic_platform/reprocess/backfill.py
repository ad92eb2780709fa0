"""A backfill from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Final, Literal

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import translate
from traffic_platform.events.dates import day_bounds
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.maintenance.maintain import MAINTENANCE_LOCK
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import read_identity, require_timezone
from traffic_platform.reprocess.await_publisher import await_publisher
from traffic_platform.reprocess.backfill_report import BackfillReport, DateReport
from traffic_platform.reprocess.dates import Dates
from traffic_platform.reprocess.outcomes import Stage
from traffic_platform.reprocess.ranges import find_ranges
from traffic_platform.reprocess.restore_raw import RawRestorer
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

TableName = Literal["raw_events", "processed_events", "traffic_readings"]
EVERY_TABLE: Final[frozenset[TableName]] = frozenset(
    ("raw_events", "processed_events", "traffic_readings")
)
_ASK_AGAIN_SECONDS = 0.5

Progress = Callable[[str, int], None]
"""Gets "messages" and the number decoded, or a date in ISO form and the number of its changes."""


def backfill_dates(
    settings: Settings,
    dates: Sequence[date],
    *,
    tables: Collection[TableName] = EVERY_TABLE,
    dry_run: bool = False,
    run_id: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _what, _number: None,
    done: Callable[[DateReport], None] = lambda _report: None,
) -> BackfillReport:
    """Bring dates up to date with today's code and settings, beside live ingest runs.

    `tables` are those to correct. processed_events includes traffic_readings, because a reading is
    the latest of its events. `stop` is called between dates; `done` gets the report of each date.
    Each date is a transaction of its own, so an error leaves the dates before it corrected. Raises
    TransientError, PermanentError, and SettingsError when this database keeps its dates in another
    time zone.
    """
    endpoints = settings.endpoints()
    prepare_interpreter()
    try:
        with connect(
            endpoints.ingest_url, application_name="traffic-backfill", autocommit=True
        ) as connection:
            require_timezone(connection, settings.timezone)
            connection.execute(statement("reprocess/settings"))
            # No prepared plan fits both dates with few differences and dates with many.
            connection.prepare_threshold = None
            if not dry_run and not _take_turn(connection, stop):
                return BackfillReport(dry_run, rules_of(settings).version)
            return _backfill(
                connection, settings, dates, tables, dry_run, run_id, stop, progress, done
            )
    except Exception as error:
        raise translate(error) or error from error


def _take_turn(connection: Connection, stop: Callable[[], bool]) -> bool:
    """Wait for other backfills and for maintenance. Return False if `stop` comes first.

    Another backfill would compare rows that this one changes. Maintenance would compact or drop
    them. The connection holds the lock.
    """
    while not stop():
        row = connection.execute("select pg_try_advisory_lock(%s)", (MAINTENANCE_LOCK,)).fetchone()
        if row and row[0]:
            return True
        time.sleep(_ASK_AGAIN_SECONDS)
    return False


class _StoppedError(Exception):
    """A stop while messages are decoded. Nothing has changed."""


def _backfill(
    connection: Connection,
    settings: Settings,
    dates: Sequence[date],
    tables: Collection[TableName],
    dry_run: bool,
    run_id: str | None,
    stop: Callable[[], bool],
    progress: Progress,
    done: Callable[[DateReport], None],
) -> BackfillReport:
    rules = rules_of(settings)
    report = BackfillReport(dry_run, rules.version)
    wanted = sorted(set(dates))
    events = "processed_events" in tables
    readings = events or "traffic_readings" in tables
    restore = None
    if "raw_events" in tables and not dry_run:
        restore = RawRestorer(connection, settings, Signer(read_identity(connection))).restore
    positions = connection.execute(statement("reprocess/positions")).fetchall()
    decoder = StoredMessageDecoder.of(rules, connection)
    stage = Stage(connection, decoder, rules.timezone, wanted)

    def decoded(number: int) -> None:
        progress("messages", number)
        if stop():
            raise _StoppedError

    try:
        if events or restore is not None:
            ranges = find_ranges(connection, wanted, rules.version)
            stage.fill(ranges, decoded, restore=restore, archive=settings.archive)
        if readings and not events:
            first, until = (day_bounds(day, rules.timezone) for day in (wanted[0], wanted[-1]))
            stage.fill_stored(first[0], until[1])
    except _StoppedError:
        return report
    report.messages_decoded = stage.messages
    work = Dates(connection, rules, settings.raw_topic, positions, stage.sensors, run_id)
    for day in wanted:
        if stop():
            return report
        started = time.monotonic()
        found = work.compare(day, events=events, readings=readings)
        found.raw_restored = stage.restored[day]
        if found.left and settings.publish and not dry_run:
            await_publisher(connection, stop)
            if stop():
                return report
        if found.changes and not dry_run:
            found = work.apply(found, events=events)
        found.seconds = round(time.monotonic() - started, 3)
        report.dates.append(found)
        progress(day.isoformat(), found.changes)
        done(found)
    if events and not dry_run:
        work.take_over(wanted)
    return report
