"""Import of sensor tables into traffic.sensors, and the list of sensors."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from traffic_platform.errors import translated
from traffic_platform.event_tables.dirty_buckets import Span, append_spans, exclude_rollups
from traffic_platform.postgres.connections import connect
from traffic_platform.sensors.csv_formats import (
    DESCRIPTION_COLUMNS,
    SensorRecord,
    read_sensor_tables,
)
from traffic_platform.sensors.csv_rows import TableError, Value
from traffic_platform.sensors.periods import (
    BEGINNING,
    PERIOD_COLUMNS,
    Timeline,
    bound_of,
    changed_spans,
)
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Origin = Literal["imported", "seen"]


@dataclass(frozen=True)
class SensorChange:
    """Changes of a sensor by an import: column to (old, new).

    `since` holds the time from which the new value applies, for the columns of periods; BEGINNING:
    in all of the past.
    """

    external_id: str
    columns: dict[str, tuple[Value, Value]]
    since: dict[str, datetime] = field(default_factory=dict[str, datetime])


@dataclass
class ImportReport:
    """External ids of the sensors that an import added, changed or left unchanged.

    `at` is the 5-minute bound from which values without a time apply.
    """

    at: datetime
    added: list[str] = field(default_factory=list[str])
    changed: list[SensorChange] = field(default_factory=list[SensorChange])
    unchanged: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class ListedSensor:
    """A sensor with its current period, and the time of its newest reading.

    `valid_from` is the begin of the period, None since the beginning.
    """

    sensor_id: UUID
    external_id: str
    origin: Origin
    name: str | None
    road: str | None
    direction: str | None
    lanes: int | None
    milepost: float | None
    length_mi: float | None
    latitude: float | None
    longitude: float | None
    station_id: str | None
    interval_s: Decimal | None
    free_flow_mph: float | None
    rural: bool | None
    retired: bool
    valid_from: datetime | None
    registered_at: datetime
    newest_reading: datetime | None


@dataclass(frozen=True)
class SensorPeriod:
    """A row of traffic.sensor_timeline; None of a bound: the beginning, or open."""

    valid_from: datetime | None
    valid_until: datetime | None
    interval_s: Decimal | None
    interval_inferred: bool
    length_mi: float | None
    lanes: int | None
    free_flow_mph: float | None
    rural: bool
    retired: bool
    source: str


def import_sensors(
    settings: Settings,
    path: Path,
    interval_s: Decimal | None = None,
    valid_from: datetime | None = None,
) -> ImportReport:
    """Import the tables at `path` (see read_sensor_tables): all rows, or none on an error.

    `valid_from` is the begin of rows without one of their own.

    Raises TableError for an invalid table, TransientError or PermanentError for PostgreSQL.
    """
    records = read_sensor_tables(path, interval_s, settings.timezone)
    if valid_from is not None:
        records = [
            record if record.valid_from else replace(record, valid_from=valid_from)
            for record in records
        ]
    return store_sensors(settings, records)


def store_sensors(settings: Settings, records: Sequence[SensorRecord]) -> ImportReport:
    """Store the records in one transaction.

    A column that a record lacks keeps its value. A sensor with origin 'seen' becomes 'imported' and
    keeps its UUID. Without a time, values apply from now on, or in all of the past where none was
    known (see Timeline). The rolled-up buckets of the changed times become dirty. Raises
    TransientError, PermanentError or, for a time in the future, TableError.
    """
    url = settings.endpoints().ingest_url
    with translated(), connect(url, application_name="traffic sensors import") as connection:
        return _store(connection, records)


def list_sensors(
    settings: Settings,
    *,
    origin: Origin | None = None,
    road: str | None = None,
    limit: int = 1000,
    sensor_id: UUID | None = None,
) -> list[ListedSensor]:
    """Return the sensors by road, direction and milepost.

    Raises TransientError or PermanentError.
    """
    url = settings.endpoints().read_url
    filters = {"origin": origin, "road": road, "limit": limit, "sensor_id": sensor_id}
    with (
        translated(),
        connect(url, application_name="traffic sensors list") as connection,
        connection.cursor(row_factory=class_row(ListedSensor)) as cursor,
    ):
        return cursor.execute(statement("sensors/list_sensors"), filters).fetchall()


def list_periods(settings: Settings, sensor_id: UUID) -> list[SensorPeriod]:
    """Return the periods of a sensor in their order. Raises TransientError or PermanentError."""
    url = settings.endpoints().read_url
    with (
        translated(),
        connect(url, application_name="traffic sensors show") as connection,
        connection.cursor(row_factory=class_row(SensorPeriod)) as cursor,
    ):
        parameters = {"sensor_id": sensor_id}
        return cursor.execute(statement("sensors/list_periods"), parameters).fetchall()


def _store(connection: psycopg.Connection[Any], records: Sequence[SensorRecord]) -> ImportReport:
    exclude_rollups(connection)
    connection.execute(statement("sensors/lock_sensors"))
    row = connection.execute("select now()").fetchone()
    assert row is not None
    report = ImportReport(at=bound_of(row[0]))
    by_sensor: defaultdict[UUID, list[SensorRecord]] = defaultdict(list)
    for record in records:
        if record.valid_from is not None and record.valid_from > report.at:
            raise TableError(
                f"Sensor {record.external_id}: valid_from {record.valid_from:%Y-%m-%dT%H:%MZ} is in"
                " the future. Import the values when they apply."
            )
        by_sensor[record.sensor_id].append(record)
    registered, before = _read_registered(connection, by_sensor.keys())
    rows: list[dict[str, Any]] = []
    after: dict[UUID, Timeline] = {}
    for sensor_id, group in sorted(by_sensor.items()):
        # Rows without a time come last: they apply from now on.
        group.sort(key=lambda record: record.valid_from or report.at)
        timeline = Timeline(dict(before.get(sensor_id, Timeline()).periods))
        row = _merge(group, registered.get(sensor_id), timeline, report)
        if row is not None:
            rows.append(row)
            after[sensor_id] = timeline
    with connection.cursor() as cursor:
        cursor.executemany(statement("sensors/import_sensor"), rows)
    _save_periods(connection, before, after)
    return report


def _read_registered(
    connection: psycopg.Connection[Any], sensor_ids: Collection[UUID]
) -> tuple[dict[UUID, dict[str, Any]], dict[UUID, Timeline]]:
    """Return the registered sensors and their timelines."""
    parameters = {"sensor_ids": list(sensor_ids)}
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("sensors/read_described"), parameters)
        registered = {row["sensor_id"]: row for row in cursor}
        cursor.execute(statement("sensors/read_periods"), parameters)
        timelines: dict[UUID, Timeline] = defaultdict(lambda: Timeline({}))
        for row in cursor:
            begin = row.pop("valid_from") or BEGINNING
            timelines[row.pop("sensor_id")].periods[begin] = row
    return registered, dict(timelines)


def _merge(
    records: Sequence[SensorRecord],
    registered: dict[str, Any] | None,
    timeline: Timeline,
    report: ImportReport,
) -> dict[str, Any] | None:
    """Return the sensor's row, None for an unchanged one; change its timeline and the report."""
    current: dict[str, Any] = registered or dict.fromkeys(DESCRIPTION_COLUMNS)
    described = {name: current[name] for name in DESCRIPTION_COLUMNS}
    change = SensorChange(records[0].external_id, {})
    for record in records:
        described |= {name: record.values[name] for name in described if name in record.values}
        values = _period_values(record.values)
        found = (
            timeline.describe(values, report.at)
            if record.valid_from is None
            else timeline.apply(values, record.valid_from)
        )
        for name, one in found.items():
            change.columns[name] = (one.old, one.new)
            change.since[name] = one.since
    row: dict[str, Any] = {
        "sensor_id": records[0].sensor_id,
        "external_id": change.external_id,
        **described,
    }
    if registered is None:
        report.added.append(change.external_id)
        return row
    for name, new in described.items():
        if new != current[name]:
            change.columns[name] = (current[name], new)
    if registered["origin"] != "imported":
        change.columns["origin"] = (registered["origin"], "imported")
    if not change.columns:
        report.unchanged.append(change.external_id)
        return None
    report.changed.append(change)
    return row


def _period_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values of periods. An empty cell of `retired` means that the sensor is not."""
    found = {name: values[name] for name in PERIOD_COLUMNS if name in values}
    if "retired" in found:
        found["retired"] = bool(found["retired"])
    return found


def _save_periods(
    connection: psycopg.Connection[Any],
    before: Mapping[UUID, Timeline],
    after: Mapping[UUID, Timeline],
) -> None:
    """Write the periods that differ, and mark the rolled-up buckets of the changed times."""
    removed: list[tuple[UUID, datetime]] = []
    saved: list[dict[str, Any]] = []
    spans: list[Span] = []
    for sensor_id, timeline in after.items():
        old = before.get(sensor_id, Timeline())
        removed += [(sensor_id, begin) for begin in old.periods.keys() - timeline.periods.keys()]
        saved += [
            {"source": "registered", **period, "sensor_id": sensor_id, "valid_from": _stored(begin)}
            for begin, period in timeline.periods.items()
            if old.periods.get(begin) != period
        ]
        spans += [
            Span(sensor_id, None if begin == BEGINNING else begin, until)
            for begin, until in changed_spans(old, timeline)
        ]
    if saved:
        periods = json.dumps(saved, default=str)
        connection.execute(statement("sensors/save_periods"), {"periods": periods})
    if removed:
        sensor_ids, begins = zip(*removed, strict=True)
        parameters = {"sensor_ids": list(sensor_ids), "begins": list(begins)}
        connection.execute(statement("sensors/remove_periods"), parameters)
    append_spans(connection, spans)


def _stored(begin: datetime) -> str:
    return "-infinity" if begin == BEGINNING else begin.isoformat()
