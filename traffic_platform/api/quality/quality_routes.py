"""Route of the data quality of a date."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from traffic_platform.api.database import Connection, Database
from traffic_platform.api.local_dates import Day, get_day
from traffic_platform.api.problems import responses
from traffic_platform.api.quality.quality_models import Quality
from traffic_platform.api.replies import json_reply
from traffic_platform.api.rows import read_objects
from traffic_platform.events.quality_tests import QUALITY_TESTS

# Flags and scores are sampled from about this many readings, which takes a fifth of a second.
MOST_LOOKED_AT = 200_000
MOST_DETECTORS = 10_000

router = APIRouter(prefix="/api/quality", tags=["quality"])


@router.get("/{date}", response_model=Quality, responses=responses(422))
async def quality(request: Request, day: Annotated[Day, Depends(get_day)]) -> Response:
    """Completeness, flags, scores, detector health and quarantine of a date.

    Completeness follows the stream within seconds. Detector health shows the latest diagnosis, or
    `not_evaluated` if the date is not over.
    """
    database: Database = request.app.state.database
    async with database.snapshot() as connection:
        return await json_reply(request, await _read(connection, day))


async def _read(connection: Connection, day: Day) -> dict[str, Any]:
    of_date = {"date": day.date.isoformat()}
    bounds = {"lower": day.lower, "upper": day.upper, "most": MOST_LOOKED_AT}
    diagnoses = await read_objects(connection, "api/quality_diagnoses", of_date)
    detectors = await read_objects(
        connection, "api/quality_health", {**of_date, "most": MOST_DETECTORS}
    )
    (flags,) = await read_objects(
        connection, "api/quality_flags", {**bounds, "bits": [test.bit for test in QUALITY_TESTS]}
    )
    (complete,) = await read_objects(connection, "api/quality_completeness", of_date)
    (messages,) = await read_objects(
        connection, "api/quality_messages", {**of_date, "name": of_date["date"]}
    )
    return {
        "date": day.date,
        "timezone": day.timezone,
        "messages": messages,
        "quarantine": await read_objects(connection, "api/quality_quarantine", of_date),
        "completeness": complete,
        "scores": {
            name: flags[name] for name in ("readings", "looked_at", "mean_score", "min_score")
        },
        "flags": [
            {"bit": test.bit, "test_failed": test.sentence, "readings": readings}
            for test, readings in zip(QUALITY_TESTS, flags["failed"], strict=True)
        ],
        "health": {
            "computed_at": max((row["computed_at"] for row in diagnoses), default=None),
            "diagnoses": {row["diagnosis"]: row["sensors"] for row in diagnoses},
            "detectors": detectors,
        },
    }
