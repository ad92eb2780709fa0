"""One moment of the database, held while it is looked at."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import IsolationLevel

from traffic_platform.postgres.connections import connect
from traffic_platform.statements import statement
from traffic_platform.verify.verify_report import Finding

Connection = psycopg.Connection[Any]


@contextmanager
def open_snapshot(url: str) -> Generator[Connection]:
    """A read-only transaction that sees one moment, so that a live stream does not disturb.

    Raises psycopg.Error when the server is away or refuses.
    """
    connection: Connection = connect(url, application_name="traffic-verify")
    try:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection
    finally:
        connection.close()


def differences(
    connection: Connection, name: LiteralString, limit: int, **parameters: object
) -> list[Finding]:
    """What a statement of `sql/verify` that yields (table, key, expected, found) finds."""
    rows = connection.execute(statement(name), {"limit": limit, **parameters}).fetchall()
    return [Finding(*row) for row in rows]
