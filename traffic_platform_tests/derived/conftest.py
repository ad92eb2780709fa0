"""A connection to a test's own database, and settings of any zone for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer


@pytest.fixture
def in_zone(
    postgres: PostgresServer, database: str, owner: psycopg.Connection, tmp_path: Path
) -> Callable[..., Settings]:
    """in_zone("UTC", **settings): settings for the database, which keeps its dates in that zone."""

    def make(timezone: str = "UTC", **changes: Any) -> Settings:
        owner.execute("update traffic.platform set timezone = %s", (timezone,))
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            home=tmp_path / "home",
            kafka_bootstrap_servers="nowhere:9092",
            database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
            ingest_database_url=postgres.service.url("traffic_ingest", database),  # pyright: ignore[reportArgumentType]
            read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
            timezone=timezone,
            **changes,
        )

    return make
