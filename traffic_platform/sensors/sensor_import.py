"""Import of sensor tables into traffic.sensors, and the list of sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from traffic_platform.errors import translated
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

# Roll-ups depend on these columns. A change makes all buckets of the sensor dirty.
_ROLLED_UP_BY = ("interval_s", "length_mi", "free_flow_mph")


@dataclass(frozen=True)
class SensorChange:
    """Changes of a sensor by an import: column to (old, new)."""

    external_id: str
    columns: dict[str, tuple[Value, Value]]


@dataclass
class ImportReport:
    """External ids of the sensors that an import added, changed or left unchanged."""

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
    """Import the tables at `path` (see read_sensor_tables): all rows, or none on an error.

    Raises TableError for an invalid table, TransientError or PermanentError for PostgreSQL.
    """
    return store_sensors(settings, read_sensor_tables(path, interval_s))


def store_sensors(settings: Settings, records: Sequence[SensorRecord]) -> ImportReport:
    """Store the records in one transaction.

    A column that a record lacks keeps its value. A sensor with origin 'seen' becomes 'imported' and
    keeps its UUID. A change that roll-ups depend on makes the sensor's buckets dirty. Raises
    TransientError or PermanentError.
    """
    url = settings.endpoints().ingest_url
    with translated(), connect(url, application_name="traffic sensors import") as connection:
        return _store(connection, records)


def list_sensors(
    settings: Settings, *, origin: Origin | None = None, road: str | None = None, limit: int = 1000
) -> list[ListedSensor]:
    """Return the sensors by road, direction and milepost.

    Raises TransientError or PermanentError.
    """
    url = settings.endpoints().read_url
    filters = {"origin": origin, "road": road, "limit": limit}
    with (
        translated(),
        connect(url, application_name="traffic sensors list") as connection,
        connection.cursor(row_factory=class_row(ListedSensor)) as cursor,
    ):
        return cursor.execute(statement("sensors/list_sensors"), filters).fetchall()


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
        registered = {row["sensor_id"]: row for row in cursor}
        for record in sorted(records, key=lambda record: record.sensor_id):
            row = _merge(record, registered.get(record.sensor_id), report)
            if row is not None:
                rows.append(row)
        cursor.executemany(statement("sensors/import_sensor"), rows)
    append_sensors(
        connection,
        [
            row["sensor_id"]
            for row in rows
            if (current := registered.get(row["sensor_id"]))
            and any(current[name] != row[name] for name in _ROLLED_UP_BY)
        ],
    )
    return report


def _merge(
    record: SensorRecord, registered: dict[str, Any] | None, report: ImportReport
) -> dict[str, Any] | None:
    """Return the row to write, None for an unchanged sensor, and add the change to the report."""
    current: dict[str, Any] = registered or dict.fromkeys(DESCRIPTION_COLUMNS)
    new = {name: record.values.get(name, current[name]) for name in DESCRIPTION_COLUMNS}
    row: dict[str, Any] = {
        "sensor_id": record.sensor_id,
        "external_id": record.external_id,
        **new,
    }
    if registered is None:
        report.added.append(record.external_id)
        return row
    columns = {
        name: (current[name], new[name])
        for name in DESCRIPTION_COLUMNS
        if current[name] != new[name]
    }
    if registered["origin"] != "imported":
        columns["origin"] = (registered["origin"], "imported")
    if not columns:
        report.unchanged.append(record.external_id)
        return None
    report.changed.append(SensorChange(record.external_id, columns))
    return row
