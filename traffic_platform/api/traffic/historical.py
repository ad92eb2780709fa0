"""Route of the readings of a date, in pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from traffic_platform.api.database import Database
from traffic_platform.api.local_dates import Day, get_day
from traffic_platform.api.models import ReadingPage
from traffic_platform.api.problems import responses
from traffic_platform.api.replies import reply
from traffic_platform.api.rows import page_content, read_page
from traffic_platform.api.sensors.sensor_lookup import find_sensor
from traffic_platform.api.traffic.page_reader import PageReader

MOST_ON_A_PAGE = 10_000
_LAST_PAGE = 1_000_000_000

router = APIRouter(prefix="/api/traffic", tags=["traffic"])


def _digits(text: object) -> object:
    """Return the text unchanged. Raises ValueError for 1_0, 1.0 or +1, which Python accepts."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number in digits")
    return text


DIGITS = BeforeValidator(_digits)

PageQuery = Annotated[
    int, Field(ge=1, le=_LAST_PAGE), DIGITS, Query(description="Number of the page, from 1.")
]
SizeQuery = Annotated[
    int, Field(ge=1, le=MOST_ON_A_PAGE), DIGITS, Query(description="Readings per page.")
]
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
    """Readings of a date, by time and sensor.

    `total` is exact at the time of the answer. Every page costs as much as the first. A date
    without readings has an empty page.
    """
    reader: PageReader = request.app.state.pages
    database: Database = request.app.state.database
    first = (page - 1) * size
    bounds = {"lower": day.lower, "upper": day.upper, "first": first, "size": size}
    if sensor_id is not None:
        async with database.connection() as connection:
            of_sensor = {**bounds, "sensor_id": await find_sensor(connection, sensor_id)}
            total, items = await read_page(connection, "api/historical_of_sensor", of_sensor)
    else:
        total, items = await reader.read(day, first, size)
        if total == 0:
            # Readings that somebody inserted by hand have no counts until the roll-ups of the date
            # are recomputed.
            async with database.connection() as connection:
                total, items = await read_page(connection, "api/historical_uncounted", bounds)
    return await reply(request, page_content(items, total, page, size))
