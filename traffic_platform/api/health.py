"""Whether the API lives and can serve."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, Request
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field

from traffic_platform.api.database import Database
from traffic_platform.api.problems import RETRY_SECONDS, ProblemError, responses

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """How the API is."""

    status: str = Field(description="alive, or ready.", examples=["ready"])


@router.get("/live", response_model=Health)
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/ready", response_model=Health, responses=responses())
async def ready(request: Request) -> dict[str, str]:
    """The database answers and has the platform's tables."""
    database: Database = request.app.state.database
    try:
        async with database.connection() as connection:
            await connection.execute("select from traffic.platform, traffic.reading_counts limit 0")
    except (PoolTimeout, psycopg.OperationalError):
        raise _not_ready("The database does not answer.") from None
    except psycopg.Error:
        raise _not_ready("The database has not the tables of this version: migrate it.") from None
    return {"status": "ready"}


def _not_ready(detail: str) -> ProblemError:
    return ProblemError(503, detail, headers={"Retry-After": str(RETRY_SECONDS)})
