"""Health routes for load balancers and Kubernetes."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from traffic_platform.api.database import Database
from traffic_platform.api.problems import RETRY_SECONDS, ProblemError, responses

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """State of the API."""

    status: str = Field(description="`alive` or `ready`.", examples=["ready"])


@router.get("/live", response_model=Health)
async def live() -> dict[str, str]:
    """Liveness: the process answers."""
    return {"status": "alive"}


@router.get("/ready", response_model=Health, responses=responses())
async def ready(request: Request) -> dict[str, str]:
    """Readiness: the database answers and has the platform's tables."""
    database: Database = request.app.state.database
    try:
        async with database.connection() as connection:
            await connection.execute("select from traffic.platform, traffic.reading_counts limit 0")
    except psycopg.OperationalError:  # psycopg_pool.PoolTimeout included
        raise _not_ready("The database does not answer.") from None
    except psycopg.Error:
        raise _not_ready("The database lacks the tables of this version. Migrate it.") from None
    return {"status": "ready"}


def _not_ready(detail: str) -> ProblemError:
    return ProblemError(503, detail, headers={"Retry-After": str(RETRY_SECONDS)})
