"""The snapshot of the database that a verification reads."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import LiteralString

from psycopg import IsolationLevel

from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.statements import statement
from traffic_platform.verify.verify_report import Finding


@contextmanager
def open_snapshot(url: str) -> Generator[Connection]:
    """Open a read-only transaction with one snapshot, so that a live stream does not disturb.

    Raises psycopg.Error when the server is unavailable or refuses the connection.
    """
    connection = connect(url, application_name="traffic-verify")
    try:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection
    finally:
        connection.close()


def differences(
    connection: Connection, name: LiteralString, limit: int, **parameters: object
) -> list[Finding]:
    """Return the findings of a statement of `sql/verify`: table, key, expected, found."""
    rows = connection.execute(statement(name), {"limit": limit, **parameters}).fetchall()
    return [Finding(*row) for row in rows]
