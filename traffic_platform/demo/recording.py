"""Recorded detector measures, read from a CSV file.

A row holds one detector and one interval: detector, start of the interval, volume, speed (mph),
occupancy (percent). An empty cell is null. By default the volume is the count of vehicles in the
interval, as detectors report it, and becomes a rate here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from traffic_platform.sensors.csv_rows import TableError, read_cells

VolumeUnit = Literal["count", "rate"]

# Known headers of each field: first that of PORTAL, the archive of Portland State University, then
# those of the platform.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "sensor": ("detectorid", "sensor_id", "external_id"),
    "time": ("starttime", "timestamp"),
    "volume": ("volume",),
    "speed": ("speed",),
    "occupancy": ("occupancy",),
}
MEASURES = ("volume", "speed", "occupancy")
_PORTAL_HEADERS = {"detectorid", "starttime"}
_PORTAL_ZONE = "America/Los_Angeles"  # PORTAL's records are in the local time of Oregon
_PORTAL_TIME = "%m/%d/%Y %H:%M:%S"
_WITH_ZONE = re.compile(r"\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$", re.IGNORECASE)


Texts = NDArray[np.object_]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Recording:
    """Recorded measures, oldest first. All columns have the same length.

    Times are microseconds since 1970 in UTC, volume is vehicles per hour, and NaN is null.
    """

    sensors: list[str]
    times_us: Integers
    volume: Floats
    speed: Floats
    occupancy: Floats
    interval_s: float | None

    def __len__(self) -> int:
        return len(self.sensors)


def read_recording(
    path: Path,
    *,
    timezone: str | None = None,
    interval_s: float | None = None,
    volume_unit: VolumeUnit = "count",
    headers: Mapping[str, str] | None = None,
) -> Recording:
    """Read a CSV file. `headers` maps a field of HEADERS to the header in the file.

    `timezone` is the zone of times without an offset; only PORTAL's layout has a default.
    `interval_s` is the time that a row covers, by default the most frequent gap of a detector.
    Raises TableError with the first line that cannot be read.
    """
    table = _read_table(path)
    columns = _find_columns(table, headers or {})
    sensors = table.cells[columns["sensor"]]
    table.refuse(sensors == "", columns["sensor"], "is empty")
    if timezone is None and table.cells.keys() >= _PORTAL_HEADERS:
        timezone = _PORTAL_ZONE
    times = _read_times(table, columns["time"], timezone)
    numbers = {
        name: _read_numbers(table, columns[name])
        if name in columns
        else np.full(len(times), np.nan)
        for name in MEASURES
    }
    interval_s = interval_s or _most_frequent_gap(sensors, times)
    if "volume" in columns and volume_unit == "count":
        numbers["volume"] = _rate(table, numbers["volume"], interval_s)
    order = np.argsort(times, kind="stable")
    return Recording(
        sensors=sensors[order].tolist(),
        times_us=times[order],
        volume=numbers["volume"][order],
        speed=numbers["speed"][order],
        occupancy=numbers["occupancy"][order],
        interval_s=interval_s,
    )


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV file as text, with the line number of each row."""

    path: Path
    lines: Integers
    cells: Mapping[str, Texts]

    def refuse(self, wrong: Marks, header: str, problem: str) -> None:
        """Raise TableError for the first row that is marked as wrong."""
        if wrong.any():
            row = int(wrong.argmax())
            text = self.cells[header][row]
            shown = f"{header} {text[:60]!r}" if text else header
            raise TableError(f"{self.path}, line {self.lines[row]}: {shown} {problem}.")


def _read_table(path: Path) -> _Table:
    rows = read_cells(path)
    _, header = next(rows, (0, []))
    records = list(rows)
    if not records:
        raise TableError(f"{path} contains no records.")
    lines, cells = zip(*records, strict=True)
    columns = zip(header, zip(*cells, strict=True), strict=True)
    texts = {name: np.array(column, dtype=object) for name, column in columns}
    return _Table(path, np.array(lines), texts)


def _find_columns(table: _Table, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the header of each field in the file."""
    columns: dict[str, str] = {}
    for field, known in HEADERS.items():
        wanted = (headers[field],) if field in headers else known
        match = next((name for name in wanted if name in table.cells), None)
        if match is not None:
            columns[field] = match
        elif field in headers or field not in MEASURES:
            raise TableError(
                f"{table.path}, line 1: no column {' or '.join(wanted)} for the {field}, only "
                f"{', '.join(table.cells)}. Name it with --column {field}=HEADER."
            )
    if not columns.keys() & set(MEASURES):
        raise TableError(f"{table.path}, line 1: no column volume, speed or occupancy.")
    return columns


def _read_times(table: _Table, header: str, timezone: str | None) -> Integers:
    """Return microseconds since 1970, from ISO 8601 or from PORTAL's month/day/year."""
    texts = table.cells[header]
    zoned = np.array([_WITH_ZONE.search(text) is not None for text in texts])
    if zoned.all():
        utc: Any = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
        table.refuse(utc.isna(), header, "is not a time")
        return _microseconds(utc)
    portal: Any = pd.to_datetime(texts, format=_PORTAL_TIME, errors="coerce")
    iso: Any = pd.to_datetime(np.where(zoned, "", texts), format="ISO8601", errors="coerce")
    local: Any = portal.where(~portal.isna(), iso)
    table.refuse(local.isna() & ~zoned, header, "is not a time")
    table.refuse(zoned, header, "has an offset, and other rows do not")
    if timezone is None:
        raise TableError(
            f"{table.path}, line {table.lines[0]}: {header} {texts[0]!r} has no offset. Name its "
            "zone with --timezone, for example America/Los_Angeles."
        )
    utc = local.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    changed = (
        f"occurs twice or never in {timezone}, because clocks change; write times with an offset"
    )
    table.refuse(utc.isna(), header, changed)
    return _microseconds(utc)


def _microseconds(times: Any) -> Integers:
    return times.tz_convert("UTC").as_unit("us").astype("int64").to_numpy()


def _read_numbers(table: _Table, header: str) -> Floats:
    texts = table.cells[header]
    numbers = np.asarray(pd.to_numeric(pd.Series(texts), errors="coerce"), dtype=np.float64)
    table.refuse((texts != "") & ~np.isfinite(numbers), header, "is not a number")
    return numbers


def _most_frequent_gap(sensors: Texts, times: Integers) -> float | None:
    """Return the seconds between records of a detector, None when no detector has two."""
    _, codes = np.unique(sensors.astype(str), return_inverse=True)
    order = np.lexsort((times, codes))
    same = np.diff(codes[order]) == 0
    gaps = np.diff(times[order])[same]
    values, counts = np.unique(gaps[gaps > 0], return_counts=True)
    return float(values[counts.argmax()]) / 1_000_000 if values.size else None


def _rate(table: _Table, counts: Floats, interval_s: float | None) -> Floats:
    """Return vehicles per hour from vehicles counted in an interval."""
    if interval_s is None:
        raise TableError(
            f"{table.path}: no detector has two records, so the interval of a count is unknown. "
            "Set it with --interval SECONDS."
        )
    # No detector measures a rate more precisely.
    return np.round(counts * 3600 / interval_s, 3)
