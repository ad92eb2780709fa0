"""Pages of the readings of a date."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.days import Day, get_day
from traffic_platform.api.models import ReadingPage
from traffic_platform.api.pages import page_content, read_page
from traffic_platform.api.problems import responses
from traffic_platform.api.replies import reply
from traffic_platform.api.sensor_ids import find_sensor

MOST_ON_A_PAGE = 10_000
_LAST_PAGE = 1_000_000_000

router = APIRouter(prefix="/api/traffic", tags=["traffic"])

PageQuery = Annotated[int, Query(ge=1, le=_LAST_PAGE, description="Page, from 1.")]
SizeQuery = Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE, description="Readings a page.")]
SensorQuery = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=255,
        description="Only readings of this sensor: its UUID, or the identifier that its feed uses.",
        examples=["det-7"],
    ),
]


@router.get("/historical/{date}", response_model=ReadingPage, responses=responses(404, 422))
async def historical(
    request: Request,
    day: Annotated[Day, Depends(get_day)],
    page: PageQuery = 1,
    size: SizeQuery = 50,
    sensor_id: SensorQuery = None,
) -> Response:
    """The readings of a date, by time and sensor.

    `total` is exact at the moment of the answer. Any page costs as much as the first. A date
    without readings has an empty page.
    """
    database: Database = request.app.state.database
    async with database.connection() as connection:
        if sensor_id is None:
            total, items = await _of_all(connection, day, (page - 1) * size, size)
        else:
            sensor = await find_sensor(connection, sensor_id)
            total, items = await _of_sensor(connection, day, (page - 1) * size, size, sensor)
    return reply(request, page_content(items, total, page, size))


async def _of_all(connection: Connection, day: Day, first: int, size: int) -> tuple[int, bytes]:
    bounds = {"lower": day.lower, "upper": day.upper, "first": first, "size": size}
    total, items = await read_page(connection, "api/historical", bounds)
    if total == 0:
        # Readings that were put there past the platform are in no count before the date is
        # computed again; see derived/rollups.
        total, items = await read_page(connection, "api/historical_uncounted", bounds)
    return total, items


async def _of_sensor(
    connection: Connection, day: Day, first: int, size: int, sensor: UUID
) -> tuple[int, bytes]:
    bounds = {"lower": day.lower, "upper": day.upper, "first": first, "size": size}
    return await read_page(connection, "api/historical_of_sensor", {**bounds, "sensor_id": sensor})
