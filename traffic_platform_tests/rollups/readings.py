"""Sensors and readings put into the tables directly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from traffic_platform.events.sensor_ids import sensor_uuid

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Reading:
    """A reading's time and measures; volume in vehicles per hour, occupancy in percent."""

    at: datetime
    volume: int | None = 900
    occupancy: float | None = 7.5
    speed: float | None = 55.0


def every(seconds: float, start: datetime, count: int, **measures: Any) -> list[Reading]:
    """Readings at a steady pace, with an occupancy that is never the same twice in a row."""
    return [
        Reading(
            start + timedelta(seconds=number * seconds),
            **{"occupancy": 5.0 + number % 7, **measures},
        )
        for number in range(count)
    ]


def add_sensor(
    owner: psycopg.Connection,
    name: str,
    *,
    origin: str = "imported",
    registered_at: datetime = LONG_AGO,
    **columns: Any,
) -> None:
    """Add a sensor, as `traffic sensors import` or an ingest run would."""
    values = {
        "sensor_id": sensor_uuid(name),
        "external_id": name,
        "origin": origin,
        "registered_at": registered_at,
        **columns,
    }
    names = ", ".join(values)
    owner.execute(
        f"insert into traffic.sensors ({names}) values ({', '.join(['%s'] * len(values))})",  # pyright: ignore
        list(values.values()),
    )


def add_readings(owner: psycopg.Connection, name: str, readings: Iterable[Reading]) -> None:
    """Readings of a sensor that is there."""
    rows = list(readings)
    for month in sorted({reading.at.astimezone(UTC).date().replace(day=1) for reading in rows}):
        owner.execute("select traffic.ensure_partition('traffic_readings', %s)", (month,))
    with owner.cursor().copy(
        'copy traffic.traffic_readings (sensor_id, "timestamp", speed, volume, occupancy, '
        "quality_score, quality_flags, broker_timestamp, topic_no, partition, "
        '"offset", created_at, updated_at) from stdin'
    ) as copy:
        for number, row in enumerate(rows):
            fixed = (1, 0, row.at, 1, 0, number, row.at, row.at)
            measures = (row.speed, row.volume, row.occupancy)
            copy.write_row((sensor_uuid(name), row.at, *measures, *fixed))


def health_of(
    connection: psycopg.Connection, columns: str = "diagnosis", where: str = "true"
) -> dict[str, Any]:
    """Columns of traffic.detector_health_detail by external id; a tuple where there are several."""
    rows = connection.execute(
        f"select external_id, {columns} from traffic.detector_health_detail where {where}"  # pyright: ignore
    ).fetchall()
    return {name: values[0] if len(values) == 1 else tuple(values) for name, *values in rows}
