"""Sensor routes: the sensors, and the readings of one sensor at four resolutions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, LiteralString
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from traffic_platform.api.database import Database
from traffic_platform.api.models import SensorPage, SensorReadings, SensorWithReading
from traffic_platform.api.problems import ProblemError, responses
from traffic_platform.api.replies import Content, json_reply, reply
from traffic_platform.api.rows import page_content, read_objects, read_page
from traffic_platform.api.sensors.sensor_lookup import find_sensor, unknown_sensor
from traffic_platform.api.traffic.historical import DIGITS, PageQuery

MOST_SENSORS = 10_000
MOST_READINGS = 100_000

router = APIRouter(prefix="/api/sensors", tags=["sensors"])

SensorPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=255,
        description="The sensor's UUID, or the identifier that its feed uses, escaped (a slash is"
        " %2F). If the identifier ends in `/readings`, use the UUID.",
        examples=["det-7"],
    ),
]
Resolution = Literal["raw", "5min", "hour", "day"]


@dataclass(frozen=True)
class _Series:
    """Statement and range of a resolution: days without `from`, and the most days allowed."""

    statement: LiteralString
    default_days: int
    most_days: int


_SERIES: Mapping[Resolution, _Series] = {
    "raw": _Series("api/sensor_raw", 1, 31),
    "5min": _Series("api/sensor_5min", 1, 62),
    "hour": _Series("api/sensor_hour", 7, 732),
    "day": _Series("api/sensor_day", 31, 7320),
}


@router.get("", response_model=SensorPage, responses=responses(422))
async def sensors(
    request: Request,
    page: PageQuery = 1,
    size: Annotated[
        int, Field(ge=1, le=MOST_SENSORS), DIGITS, Query(description="Sensors a page.")
    ] = 1000,
    road: Annotated[
        str | None,
        Query(max_length=255, description="Only sensors of this road.", examples=["I-205"]),
    ] = None,
    origin: Annotated[
        Literal["imported", "seen"] | None,
        Query(description="Only imported sensors, or only sensors first seen in the stream."),
    ] = None,
) -> Response:
    """Registered sensors by road, direction and milepost."""
    if road is not None and "\0" in road:
        raise ProblemError(422, "road contains a NUL character. Remove it.", field="road")
    database: Database = request.app.state.database
    chosen = {"road": road, "origin": origin}
    async with database.connection() as connection:
        (counted,) = await read_objects(connection, "api/count_sensors", chosen)
        bounds = {"first": (page - 1) * size, "size": size}
        items = await read_objects(connection, "api/sensors", {**chosen, **bounds})
    encoded = msgspec.json.encode(items)[1:-1]
    return await reply(request, page_content(encoded, counted["count"], page, size))


@router.get("/{id:sensor}/readings", response_model=SensorReadings, responses=responses(404, 422))
async def sensor_readings(
    request: Request,
    id: SensorPath,
    begin: Annotated[
        str | None,
        Query(
            alias="from",
            description="Start of the range, ISO 8601 with an offset. Default: 1 day before `to`"
            " (hour: 7 days, day: 31 days).",
            examples=["2025-10-04T12:00:00Z"],
            json_schema_extra={"format": "date-time"},
        ),
    ] = None,
    end: Annotated[
        str | None,
        Query(
            alias="to",
            description="End of the range (exclusive), ISO 8601 with an offset. Default: five"
            " minutes from now, but at most the longest range after `from`.",
            examples=["2025-10-04T13:00:00Z"],
            json_schema_extra={"format": "date-time"},
        ),
    ] = None,
    resolution: Annotated[
        Resolution,
        Query(
            description="`raw` readings, or roll-ups. The longest range is 31 days for raw, 62 for"
            " 5min, 732 for hour and 7320 for day."
        ),
    ] = "raw",
) -> Response:
    """Readings of a sensor in a range of time, by time.

    Raw readings are limited to 100,000. Roll-ups are included if they start in the range.
    """
    bounds = _range(begin, end, _SERIES[resolution], resolution)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        found = await find_sensor(connection, id, "id")
        parameters = {"sensor_id": found, "from": bounds[0], "to": bounds[1]}
        if resolution == "raw":
            limited = {**parameters, "most": MOST_READINGS}
            total, items = await read_page(connection, "api/sensor_raw", limited)
            if total > MOST_READINGS:
                raise ProblemError(
                    422,
                    f"The range has more than {MOST_READINGS:,} readings. Ask for a shorter one.",
                    field="from",
                )
        else:
            rows = await read_objects(connection, _SERIES[resolution].statement, parameters)
            items = msgspec.json.encode(rows)[1:-1]
    return await reply(request, _document(found, resolution, bounds, items))


@router.get("/{id:sensor}", response_model=SensorWithReading, responses=responses(404, 422))
async def sensor(request: Request, id: SensorPath) -> Response:
    """A sensor, its periods and its newest reading."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        found = await find_sensor(connection, id, "id")
        rows = await read_objects(connection, "api/sensor", {"sensor_id": found})
        periods = await read_objects(connection, "api/sensor_periods", {"sensor_id": found})
    if not rows:
        raise unknown_sensor(id, "id")
    rows[0]["periods"] = periods
    newest = rows[0]["newest_reading"]
    rows[0]["newest_reading"] = msgspec.Raw(newest.encode()) if newest else None
    return await json_reply(request, rows[0])


def _parse_instant(text: str, field: str) -> datetime:
    """Parse ISO 8601 with an offset; return it in UTC. Raises ProblemError (422) naming `field`.

    A space before the offset is an unescaped plus. Week dates (2025-W40-6) are rejected.
    """
    date, _, clock = text.strip().partition("T")
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(f"{date}T{clock.replace(' ', '+')}" if clock else date)
        if time.tzinfo is not None and "W" not in date:
            return time.astimezone(UTC)
    raise ProblemError(
        422,
        f"{field} is not a valid time. Use ISO 8601 with an offset, such as 2025-10-04T12:00:00Z.",
        field=field,
    )


def _range(
    begin: str | None, end: str | None, series: _Series, resolution: Resolution
) -> tuple[datetime, datetime]:
    """Return the start and the end of the range. Raises ProblemError (422)."""
    lower = _parse_instant(begin, "from") if begin is not None else None
    upper = _parse_instant(end, "to") if end is not None else None
    try:
        lower, upper = _complete(lower, upper, series)
    except OverflowError:
        raise ProblemError(
            422, "from and to must be between the years 1 and 9999.", field="from"
        ) from None
    if lower >= upper:
        raise ProblemError(422, "from must be before to.", field="from")
    if upper - lower > timedelta(days=series.most_days):
        raise ProblemError(
            422,
            f"With resolution {resolution}, the range may have at most {series.most_days} days."
            " Ask for a shorter one.",
            field="from",
        )
    return lower, upper


def _complete(
    lower: datetime | None, upper: datetime | None, series: _Series
) -> tuple[datetime, datetime]:
    """Fill in the missing ends of a range. Raises OverflowError."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    default, most = timedelta(days=series.default_days), timedelta(days=series.most_days)
    if lower is None:
        upper = upper or now
        return upper - default, upper
    if upper is None:
        upper = min(now, lower + most) if lower < now else lower + default
    return lower, upper


def _document(
    sensor: UUID, resolution: Resolution, bounds: tuple[datetime, datetime], items: bytes
) -> Content:
    head = msgspec.json.encode(
        {"sensor_id": sensor, "resolution": resolution, "from": bounds[0], "to": bounds[1]}
    )
    return Content(b'%b,"items":[%b]}' % (head[:-1], items))
