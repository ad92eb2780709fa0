"""A connection that may break a test's own database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from traffic_platform_tests.conftest import PostgresServer


@pytest.fixture
def owner(postgres: PostgresServer, database: str) -> Iterator[psycopg.Connection]:
    """The owner of a migrated, empty database, in autocommit."""
    url = postgres.service.url("traffic_owner", database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def reader(postgres: PostgresServer, database: str) -> Iterator[psycopg.Connection]:
    """The role that checks run as, in the same database."""
    url = postgres.service.url("traffic_read", database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
