"""Writes what tables say of sensors into traffic.sensors, and reads it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from traffic_platform.errors import translate
from traffic_platform.event_tables.dirty_buckets import append_sensors, exclude_rollups
from traffic_platform.postgres.connections import connect
from traffic_platform.sensors.csv_formats import (
    DESCRIPTION_COLUMNS,
    SensorRecord,
    read_sensor_tables,
)
from traffic_platform.sensors.csv_rows import Value
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Origin = Literal["imported", "seen"]

# Roll-ups are computed with these: where one changes, all of the sensor's are computed again.
_ROLLED_UP_BY = ("interval_s", "length_mi", "free_flow_mph")


@dataclass(frozen=True)
class SensorChange:
    """What an import changed on a sensor: column to (old, new)."""

    external_id: str
    columns: dict[str, tuple[Value, Value]]


@dataclass
class ImportReport:
    """External ids of what an import added, changed and found as it was."""

    added: list[str] = field(default_factory=list[str])
    changed: list[SensorChange] = field(default_factory=list[SensorChange])
    unchanged: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class ListedSensor:
    """A row of traffic.sensors, and the time of its newest reading."""

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
    interval_s: int | None
    free_flow_mph: float | None
    rural: bool | None
    registered_at: datetime
    newest_reading: datetime | None


def import_sensors(settings: Settings, path: Path, interval_s: int | None = None) -> ImportReport:
    """Import the tables at `path` (see read_sensor_tables): all of them or, on an error, nothing.

    Raises TableError for a broken table, TransientError or PermanentError for PostgreSQL.
    """
    return store_sensors(settings, read_sensor_tables(path, interval_s))


def store_sensors(settings: Settings, records: Sequence[SensorRecord]) -> ImportReport:
    """Store the descriptions in one transaction.

    A column that a record does not have keeps its value; a sensor that was only seen becomes
    imported and keeps its UUID. Where roll-ups rest on what changes, the sensor's become dirty.
    Raises TransientError or PermanentError.
    """
    url = settings.endpoints().ingest_url
    try:
        with connect(url, application_name="traffic sensors import") as connection:
            return _store(connection, records)
    except psycopg.Error as error:
        raise (translate(error) or error) from error


def list_sensors(
    settings: Settings, *, origin: Origin | None = None, road: str | None = None, limit: int = 1000
) -> list[ListedSensor]:
    """The sensors by road, direction and milepost. Raises TransientError or PermanentError."""
    url = settings.endpoints().read_url
    filters = {"origin": origin, "road": road, "limit": limit}
    try:
        with (
            connect(url, application_name="traffic sensors list") as connection,
            connection.cursor(row_factory=class_row(ListedSensor)) as cursor,
        ):
            return cursor.execute(statement("sensors/list_sensors"), filters).fetchall()
    except psycopg.Error as error:
        raise (translate(error) or error) from error


def _store(connection: psycopg.Connection[Any], records: Sequence[SensorRecord]) -> ImportReport:
    report = ImportReport()
    rows: list[dict[str, Any]] = []
    exclude_rollups(connection)
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("sensors/lock_sensors"))
        cursor.execute(
            statement("sensors/read_described"),
            {"sensor_ids": [record.sensor_id for record in records]},
        )
        known = {row["sensor_id"]: row for row in cursor}
        for record in sorted(records, key=lambda record: record.sensor_id):
            row = _merge(record, known.get(record.sensor_id), report)
            if row is not None:
                rows.append(row)
        cursor.executemany(statement("sensors/import_sensor"), rows)
    append_sensors(
        connection,
        [
            row["sensor_id"]
            for row in rows
            if (before := known.get(row["sensor_id"]))
            and any(before[name] != row[name] for name in _ROLLED_UP_BY)
        ],
    )
    return report


def _merge(
    record: SensorRecord, known: dict[str, Any] | None, report: ImportReport
) -> dict[str, Any] | None:
    """The row to write, None when nothing changes; what it is goes to the report."""
    before: dict[str, Any] = known or dict.fromkeys(DESCRIPTION_COLUMNS)
    after = {name: record.values.get(name, before[name]) for name in DESCRIPTION_COLUMNS}
    row: dict[str, Any] = {
        "sensor_id": record.sensor_id,
        "external_id": record.external_id,
        **after,
    }
    if known is None:
        report.added.append(record.external_id)
        return row
    columns = {
        name: (before[name], after[name])
        for name in DESCRIPTION_COLUMNS
        if before[name] != after[name]
    }
    if known["origin"] != "imported":
        columns["origin"] = (known["origin"], "imported")
    if not columns:
        report.unchanged.append(record.external_id)
        return None
    report.changed.append(SensorChange(record.external_id, columns))
    return row
