"""A rebuild from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, Literal

import psycopg

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import translate
from traffic_platform.events.dates import day_bounds
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.kafka.origin_header import Signer
from traffic_platform.maintenance.maintain import MAINTENANCE_LOCK
from traffic_platform.postgres.connections import connect
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
# One rebuild at a time, held by its connection: a second one would compare what the first changes.
# The same lock as upkeep's, which would fold or drop what is compared.
TURN_LOCK = MAINTENANCE_LOCK
_ASK_AGAIN_SECONDS = 0.5

Connection = psycopg.Connection[Any]
Progress = Callable[[str, int], None]
"""Gets what goes on ("messages", or a date in ISO form) and how many messages or changes it was."""


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
    """Make dates again from what is kept, by today's code and settings, beside live windows.

    `tables` are those to rebuild; processed_events brings traffic_readings with it, since a reading
    is the latest of its events. `stop` is asked between dates; `done` gets each date that is done.
    Raises TransientError, PermanentError, and SettingsError when this database keeps its dates in
    another time zone. What was done stays done: each date is a transaction of its own.
    """
    endpoints = settings.endpoints()
    prepare_interpreter()
    try:
        with connect(
            endpoints.ingest_url, application_name="traffic-rebuild", autocommit=True
        ) as connection:
            require_timezone(connection, settings.timezone)
            connection.execute(statement("reprocess/settings"))
            # Of dates that differ in nothing and in everything no plan is good for both.
            connection.prepare_threshold = None
            if not dry_run and not _take_turn(connection, stop):
                return BackfillReport(dry_run, rules_of(settings).version)
            return _rebuild(
                connection, settings, dates, tables, dry_run, run_id, stop, progress, done
            )
    except Exception as error:
        raise translate(error) or error from error


def _take_turn(connection: Connection, stop: Callable[[], bool]) -> bool:
    """Wait for other rebuilds, and for upkeep; False when asked to stop before it is our turn."""
    while not stop():
        row = connection.execute("select pg_try_advisory_lock(%s)", (TURN_LOCK,)).fetchone()
        if row and row[0]:
            return True
        time.sleep(_ASK_AGAIN_SECONDS)
    return False


class _StoppedError(Exception):
    """Asked to stop while messages are decoded: nothing has been changed."""


def _rebuild(
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
    restorer = None
    if "raw_events" in tables and not dry_run:
        restorer = RawRestorer(connection, settings, Signer(read_identity(connection)))
    positions = connection.execute(statement("reprocess/positions")).fetchall()
    decoder = StoredMessageDecoder.of(rules, connection)
    stage = Stage(connection, decoder, rules.timezone, wanted)

    def decoded(number: int) -> None:
        progress("messages", number)
        if stop():
            raise _StoppedError

    try:
        if events or restorer is not None:
            ranges = find_ranges(connection, wanted, rules.version)
            restore = restorer.restore if restorer is not None else None
            stage.fill(ranges, decoded, restore=restore, archive=settings.archive)
        if readings and not events:
            first, until = (day_bounds(day, rules.timezone) for day in (wanted[0], wanted[-1]))
            stage.fill_stored(first[0], until[1])
    except _StoppedError:
        return report
    report.messages_decoded = stage.messages
    work = Dates(
        connection,
        rules,
        settings.raw_topic,
        positions=positions,
        sensors=stage.sensors,
        run_id=run_id,
    )
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
            compared = found.events_compared
            found = replace(work.apply(found, events=events), events_compared=compared)
        found.seconds = round(time.monotonic() - started, 3)
        report.dates.append(found)
        progress(day.isoformat(), found.changes)
        done(found)
    if events and not dry_run:
        work.take_over(wanted)
    return report
