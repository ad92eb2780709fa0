"""Inferred intervals and free-flow speeds, for sensors without imported values.

Both are stored with the periods of the sensor, so that the same readings always give the same rows.
A first value fills the periods that lack one. A changed value begins a period, and the rows before
it stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg.rows import class_row

from traffic_platform.event_tables.dirty_buckets import ROLLUP_WAIT_SECONDS, Span, append_spans
from traffic_platform.postgres.connections import Connection
from traffic_platform.rollups.rollup_lock import exclusively
from traffic_platform.statements import statement

# Readings for an interval: more than a day of one every 20 s. A new sensor needs fewer.
NEWEST_READINGS = 5_000
FIRST_READINGS = 200
FEWEST_GAPS = 2
# An interval has changed when it differs by more than a tenth, and most readings of a whole day
# show it. Vehicles are proportional to the interval, and federal rules of the United States allow
# an error of 15 % in real-time information (23 CFR 511.309). A day is the time that a diagnosis of
# detector health judges: a detector that loses every second reading for less stays one that lacks
# readings, and a feed that reports less often by night does not change every evening (both limits
# are our own judgement).
CHANGE_SHARE = Decimal("0.1")
CHANGE_LASTS = timedelta(days=1)
# So many gaps show an interval: a change needs them, and a first guess without them was wrong.
CHANGE_GAPS = 12
# The begin of a change is searched in this time before the newest reading, then in four times as
# much, and so on.
SEARCH = timedelta(days=2)
# Free flow is the speed that drivers choose in light traffic. Up to 1,000 vehicles per hour and
# lane the speed on a freeway does not depend on flow (Highway Capacity Manual 2010, chapter 11).
# The Federal Highway Administration's Urban Congestion Reports use the 85th percentile. It is taken
# from four weeks of 5-minute rows, at least six hours of them.
LIGHT_FLOW = 1_000
NEWEST_ROWS = 28 * 288
FEWEST_ROWS = 72
TOLERANCE_MPH = 3


@dataclass(frozen=True)
class Inferred:
    """Numbers of sensors whose values changed."""

    intervals: int
    free_flow_speeds: int


@dataclass(frozen=True)
class _Change:
    """A sensor whose newest readings come at another interval (seconds) than the inferred one."""

    sensor_id: UUID
    before: Decimal
    after: Decimal
    newest: datetime
    valid_from: datetime | None


@dataclass(frozen=True)
class _Begin:
    """A possible begin of a change; `interval_begin.sql` describes the fields."""

    at: datetime
    lead: int
    gaps: int
    like_after: int
    newest: datetime
    more: bool

    @property
    def is_begin(self) -> bool:
        """The interval was another one before, so that this is where it changed."""
        return self.lead >= CHANGE_GAPS

    def lasts(self, interval_s: Decimal) -> bool:
        """Return True when readings at the new interval cover a whole day."""
        covered = self.newest - self.at + timedelta(seconds=float(interval_s))
        return self.gaps >= CHANGE_GAPS and covered >= CHANGE_LASTS


def infer(
    connection: Connection,
    *,
    only_missing: bool = False,
    wait_seconds: float = ROLLUP_WAIT_SECONDS,
) -> Inferred:
    """Infer from the newest readings of all sensors, or of those without a value.

    `connection` is in autocommit and of the writing role. Raises psycopg.Error, and
    LockNotAvailable when a roll-up still runs after `wait_seconds`.
    """
    with exclusively(connection, wait_seconds):
        intervals: list[Span] = []
        if not only_missing:
            intervals = _missing_intervals(connection, NEWEST_READINGS, all_sensors=True)
            intervals += _changed_intervals(connection)
        parameters = {
            "light": LIGHT_FLOW,
            "newest": NEWEST_ROWS,
            "fewest": FEWEST_ROWS,
            "tolerance": TOLERANCE_MPH,
            "all": not only_missing,
        }
        rows = connection.execute(statement("rollups/infer_free_flow"), parameters)
        speeds = [Span(sensor_id, since) for sensor_id, since in rows]
        append_spans(connection, {*intervals, *speeds})
    return Inferred(len(intervals), len({span.sensor_id for span in speeds}))


def infer_new_intervals(connection: Connection) -> None:
    """Infer the intervals of sensors in pg_temp.dirty_ranges that have no interval."""
    append_spans(connection, _missing_intervals(connection, FIRST_READINGS, all_sensors=False))


def _missing_intervals(connection: Connection, newest: int, *, all_sensors: bool) -> list[Span]:
    parameters = {"newest": newest, "fewest": FEWEST_GAPS, "all": all_sensors}
    rows = connection.execute(statement("rollups/infer_intervals"), parameters)
    return [Span(row[0]) for row in rows]


def _changed_intervals(connection: Connection) -> list[Span]:
    """Begin a period where the interval of a sensor changed, and return the changed times."""
    parameters = {
        "newest": NEWEST_READINGS,
        "fewest": FEWEST_GAPS,
        "tolerance": CHANGE_SHARE,
    }
    with connection.cursor(row_factory=class_row(_Change)) as cursor:
        changes = cursor.execute(statement("rollups/changed_intervals"), parameters).fetchall()
    spans: list[Span] = []
    for change in changes:
        begin = _find_begin(connection, change)
        if 2 * begin.like_after <= begin.gaps or (begin.is_begin and not begin.lasts(change.after)):
            continue
        # Without any support the first guess was wrong from the start of the period.
        at = begin.at if begin.is_begin else change.valid_from
        parameters = {"sensor_id": change.sensor_id, "after": change.after, "at": at}
        row = connection.execute(statement("rollups/begin_interval"), parameters).fetchone()
        assert row is not None
        spans.append(Span(change.sensor_id, row[0]))
    return spans


def _find_begin(connection: Connection, change: _Change) -> _Begin:
    """Search the current period backwards until the interval was another one."""
    search = SEARCH
    while True:
        since = change.newest - search
        if change.valid_from is not None:
            since = max(since, change.valid_from)
        parameters = {
            "sensor_id": change.sensor_id,
            "before": change.before,
            "after": change.after,
            "tolerance": CHANGE_SHARE,
            "since": since,
            "valid_from": change.valid_from,
        }
        with connection.cursor(row_factory=class_row(_Begin)) as cursor:
            begin = cursor.execute(statement("rollups/interval_begin"), parameters).fetchone()
        assert begin is not None
        if begin.is_begin or not begin.more:
            return begin
        search *= 4
