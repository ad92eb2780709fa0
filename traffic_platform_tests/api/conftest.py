"""The application over a test's own database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer


@pytest.fixture
def api_settings(
    postgres: PostgresServer, database: str, owner: psycopg.Connection, tmp_path: Path
) -> Callable[..., Settings]:
    """api_settings("UTC", **settings): settings for the database, whose dates are of that zone."""

    def make(timezone: str = "UTC", **changes: Any) -> Settings:
        owner.execute("update traffic.platform set timezone = %s", (timezone,))
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            home=tmp_path / "home",
            database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
            ingest_database_url=postgres.service.url("traffic_ingest", database),  # pyright: ignore[reportArgumentType]
            read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
            timezone=timezone,
            **changes,
        )

    return make


@pytest.fixture
def client(api_settings: Callable[..., Settings]) -> Iterator[TestClient]:
    """A client of the application, whose dates are of UTC."""
    with TestClient(create_app(api_settings())) as client:
        yield client
