"""One roll-up at a time, each on one snapshot."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from traffic_platform.event_tables.dirty_buckets import ROLLUP_WAIT_SECONDS, rollups_excluded
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement


@contextmanager
def exclusively(
    connection: Connection, wait_seconds: float = ROLLUP_WAIT_SECONDS
) -> Generator[None]:
    """Hold a REPEATABLE READ transaction that excludes other roll-ups and sensor imports.

    `connection` is in autocommit. Raises psycopg.errors.LockNotAvailable when another one still
    runs after `wait_seconds`.
    """
    connection.execute(statement("rollups/create_taken_buckets"))
    with rollups_excluded(connection, wait_seconds):
        before = connection.isolation_level
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        try:
            with connection.transaction():
                yield
        finally:
            if not connection.closed:
                connection.isolation_level = before
