"""Snapshots of a test's own database: Kafka goes on, and the database goes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from traffic_platform_tests.conftest import PostgresServer


@dataclass(frozen=True)
class Snapshots:
    """Copies of one database; no session may use it while one is made or restored."""

    postgres: PostgresServer
    database: str

    def take(self) -> None:
        """Keep the database as it is now."""
        self._copy(self.database, self._kept)

    def restore(self) -> None:
        """Bring the database back to the last snapshot."""
        self._copy(self._kept, self.database)

    @property
    def _kept(self) -> str:
        return f"{self.database}_kept"

    def _copy(self, source: str, target: str) -> None:
        with self.postgres.superuser() as connection:
            drop = sql.SQL("drop database if exists {} with (force)")
            connection.execute(drop.format(sql.Identifier(target)))
            self.postgres.service.create_database(
                connection, target, "traffic_owner", template=source
            )

    def drop(self) -> None:
        """Drop the snapshot."""
        with self.postgres.superuser() as connection:
            drop = sql.SQL("drop database if exists {} with (force)")
            connection.execute(drop.format(sql.Identifier(self._kept)))


def snapshots_of(postgres: PostgresServer, database: str) -> Iterator[Snapshots]:
    """Yield the snapshots of a database, and drop them afterwards."""
    snapshots = Snapshots(postgres, database)
    yield snapshots
    snapshots.drop()
