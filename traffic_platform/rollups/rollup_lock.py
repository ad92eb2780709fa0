"""One fold at a time, each on one snapshot."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from traffic_platform.event_tables.dirty_buckets import ROLLUP_WAIT_SECONDS, exclude_rollups
from traffic_platform.statements import statement

Connection = psycopg.Connection[Any]


@contextmanager
def exclusively(
    connection: Connection, wait_seconds: float = ROLLUP_WAIT_SECONDS
) -> Generator[None]:
    """A REPEATABLE READ transaction that excludes others of this kind, and sensor imports.

    `connection` is in autocommit. Raises psycopg.errors.LockNotAvailable where another one is
    still at work after `wait_seconds`.
    """
    connection.execute(statement("rollups/create_taken_buckets"))
    before = connection.isolation_level
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            exclude_rollups(connection, wait_seconds)
            yield
    finally:
        if not connection.closed:
            connection.isolation_level = before
