"""Formats of sensor tables: a CSV file of the platform's own columns, or PORTAL's three files.

All rows are checked before any is imported. An error names the file, the line and the column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from traffic_platform.events.sensor_ids import canonical_external_id, is_valid, sensor_uuid
from traffic_platform.sensors.csv_rows import (
    Row,
    TableError,
    Value,
    flag,
    latitude,
    longitude,
    number,
    positive,
    read_rows,
    seconds,
    text,
    whole,
)
from traffic_platform.sensors.periods import PERIOD_COLUMNS, read_begin

_PORTAL_DETECTORS = "freeway_detectors.csv"
_PORTAL_STATIONS = "freeway_stations.csv"
_PORTAL_HIGHWAYS = "highways.csv"
_PORTAL_INTERVAL_S = Decimal(20)  # PORTAL's archive holds 20-second records
_LARGEST_SMALLINT = 2**15 - 1


@dataclass(frozen=True)
class SensorRecord:
    """A sensor of a table. `values` holds only the columns that the table has.

    `valid_from` is a time (aware) or BEGINNING; None: from now on, without changing the past.
    """

    sensor_id: UUID
    external_id: str
    values: Mapping[str, Value]
    valid_from: datetime | None = None


def read_sensor_tables(
    path: Path, interval_s: Decimal | None = None, zone: str = "UTC"
) -> list[SensorRecord]:
    """Read the sensors of a file, or of the tables in a folder.

    The headers of a file of the platform's own are columns of traffic.sensors. PORTAL's
    freeway_detectors.csv (or its folder) is joined with freeway_stations.csv and highways.csv
    beside it. `interval_s` is the time that a reading covers (seconds), for tables without that
    column. Dates of the column valid_from are days of `zone`. Raises TableError.
    """
    file = _find_file(path)
    rows = list(read_rows(file))
    if not rows:
        raise TableError(f"{file} has no row for a sensor.")
    headers = rows[0].cells.keys()
    if "detectorid" in headers:
        records = _read_portal(file, rows, interval_s or _PORTAL_INTERVAL_S)
    elif "external_id" in headers:
        records = _read_own(rows, interval_s, zone)
    else:
        raise TableError(
            f"{file}, line 1: the column external_id (or PORTAL's detectorid) is missing. "
            f"The columns are {', '.join(headers)}."
        )
    _reject_repeated(rows, records)
    return records


def _find_file(path: Path) -> Path:
    if not path.exists():
        raise TableError(f"{path} does not exist.")
    if path.is_file():
        return path
    if (path / _PORTAL_DETECTORS).is_file():
        return path / _PORTAL_DETECTORS
    files = sorted(path.glob("*.csv"))
    if len(files) != 1:
        raise TableError(
            f"{path} has {len(files)} CSV files and no {_PORTAL_DETECTORS}. Name one file."
        )
    return files[0]


def _read_id(row: Row, column: str) -> str:
    """Return the sensor's identifier in a cell. Raises TableError."""
    text = row.cells[column]
    if not text:
        raise row.error(column, "is empty")
    if not is_valid(text):
        raise row.error(column, "is not an identifier of 1 to 255 characters")
    return canonical_external_id(text)


def _reject_repeated(rows: list[Row], records: list[SensorRecord]) -> None:
    """Reject a second row of a sensor with the same begin."""
    seen: dict[tuple[str, datetime | None], int] = {}
    for row, record in zip(rows, records, strict=True):
        key = (record.external_id, record.valid_from)
        if key in seen:
            column = "detectorid" if "detectorid" in row.cells else "external_id"
            raise row.error(column, f"repeats line {seen[key]}")
        seen[key] = row.line


def _read_own(rows: list[Row], interval_s: Decimal | None, zone: str) -> list[SensorRecord]:
    """Read rows whose headers are columns of traffic.sensors."""
    known = {"external_id", "sensor_id", "valid_from", *_COLUMNS}
    for name in rows[0].cells:
        if name not in known:
            raise TableError(
                f"{rows[0].path}, line 1: unknown column {name or '(no name)'!r}. "
                f"Known columns are external_id, sensor_id, valid_from, {', '.join(_COLUMNS)}."
            )
    records: list[SensorRecord] = []
    for row in rows:
        external_id = _read_id(row, "external_id")
        _check_sensor_id(row, external_id)
        values = {
            name: row.read(name, convert) for name, convert in _COLUMNS.items() if name in row.cells
        }
        if interval_s is not None:
            values.setdefault("interval_s", interval_s)
        valid_from = _read_begin(row, zone)
        records.append(SensorRecord(sensor_uuid(external_id), external_id, values, valid_from))
    return records


def _read_begin(row: Row, zone: str) -> datetime | None:
    """Return the 5-minute bound at or before the row's valid_from; None for an empty cell."""
    text = row.cells.get("valid_from", "")
    try:
        return read_begin(text, zone) if text else None
    except ValueError as error:
        raise row.error("valid_from", str(error)) from None


def _check_sensor_id(row: Row, external_id: str) -> None:
    """Reject a sensor_id that differs from the mapping: the sensor would have two UUIDs."""
    text = row.cells.get("sensor_id", "")
    if text and text.lower() != str(sensor_uuid(external_id)):
        raise row.error(
            "sensor_id",
            f"differs from the UUID of external_id {external_id!r}, "
            f"{sensor_uuid(external_id)}; leave the column out",
        )


def _read_portal(file: Path, rows: list[Row], interval_s: Decimal) -> list[SensorRecord]:
    """Read PORTAL's detectors, each in one lane of a station on a highway."""
    _require(rows[0], "highwayid", "milepost", "locationtext", "stationid")
    stations = _by_id(file.parent / _PORTAL_STATIONS, "stationid", "length", "latlon")
    highways = _by_id(file.parent / _PORTAL_HIGHWAYS, "highwayid", "highwayname", "direction")
    records: list[SensorRecord] = []
    for row in rows:
        external_id = _read_id(row, "detectorid")
        station = _look_up(row, "stationid", stations, _PORTAL_STATIONS)
        highway = _look_up(row, "highwayid", highways, _PORTAL_HIGHWAYS)
        position = _position(station) if station else (None, None)
        values: dict[str, Value] = {
            "name": row.read("locationtext", text),
            "road": highway.read("highwayname", text) if highway else None,
            "direction": highway.read("direction", text) if highway else None,
            "lanes": 1,  # a loop covers one lane, and lanenumber says which
            "milepost": row.read("milepost", number),
            "length_mi": station.read("length", positive) if station else None,
            "latitude": position[0],
            "longitude": position[1],
            "station_id": row.read("stationid", text),
            "interval_s": interval_s,
        }
        records.append(SensorRecord(sensor_uuid(external_id), external_id, values))
    return records


def _by_id(path: Path, key: str, *columns: str) -> dict[str, Row]:
    if not path.is_file():
        raise TableError(
            f"{path} is missing. PORTAL's detectors need the tables of stations and highways."
        )
    found: dict[str, Row] = {}
    for row in read_rows(path):
        _require(row, key, *columns)
        name = row.cells[key]
        if not name:
            raise row.error(key, "is empty")
        if name in found:
            raise row.error(key, f"repeats line {found[name].line}")
        found[name] = row
    return found


def _require(row: Row, *columns: str) -> None:
    for column in columns:
        if column not in row.cells:
            raise TableError(f"{row.path}, line 1: the column {column} is missing.")


def _look_up(row: Row, column: str, table: dict[str, Row], name: str) -> Row | None:
    """Return the row of another table that a cell refers to, None for an empty cell."""
    key = row.cells[column]
    if key and key not in table:
        raise row.error(column, f"is not in {name}")
    return table.get(key)


def _position(station: Row) -> tuple[float | None, float | None]:
    """Return latitude and longitude of the column `latlon`, two numbers separated by a comma."""
    text = station.cells["latlon"]
    if not text:
        return None, None
    parts = text.strip("()").split(",")
    try:
        if len(parts) != 2:
            raise ValueError("is not a pair of latitude and longitude")
        return latitude(parts[0].strip()), longitude(parts[1].strip())
    except ValueError as error:
        raise station.error("latlon", str(error)) from None


_COLUMNS: Mapping[str, Callable[[str], Value]] = {
    "name": text,
    "road": text,
    "direction": text,
    "lanes": whole(_LARGEST_SMALLINT),
    "milepost": number,
    "length_mi": positive,
    "latitude": latitude,
    "longitude": longitude,
    "station_id": text,
    "interval_s": seconds,
    "free_flow_mph": positive,
    "rural": flag,
    "retired": flag,
}

DESCRIPTION_COLUMNS = tuple(name for name in _COLUMNS if name not in PERIOD_COLUMNS)
"""The columns of traffic.sensors that a table can describe and that have no period."""
