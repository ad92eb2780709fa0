"""Fixtures: the application on the test's own database, in this process or served by uvicorn."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer

# A loopback address needs no key.
LOOPBACK = "http://127.0.0.1"


@pytest.fixture
def api_settings(
    postgres: PostgresServer, database: str, owner: psycopg.Connection, tmp_path: Path
) -> Callable[..., Settings]:
    """api_settings("UTC", **settings): settings for the database, with dates in that time zone."""

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
    """A client of the application, with dates in UTC."""
    with TestClient(create_app(api_settings()), base_url=LOOPBACK) as client:
        yield client


@dataclass(frozen=True)
class Served:
    """An application served by uvicorn."""

    url: str
    app: FastAPI


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[Served]:
    """Serve in a thread until the block ends, for endless responses and for lost clients."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        httpx.get(f"{url}/health/live", timeout=60).raise_for_status()
        yield Served(url, app)
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()


@pytest.fixture
def serve(settings: Settings) -> Iterator[Served]:
    """The application served with `settings`, beside a real Kafka."""
    with served(create_app(settings)) as running:
        yield running
