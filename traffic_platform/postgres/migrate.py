"""Bring a database to this version's schema."""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from traffic_platform.postgres.catalogue import write_comments
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import SettingsError
from traffic_platform.statements import sql_folder, statement

_MIGRATION_LOCK = 7_204_511_001  # any constant: one migration at a time per database


def migrate(owner_url: str, timezone: str) -> None:
    """Run the missing migrations, write the comments and freeze the platform's time zone.

    Safe to call at every start and from several processes at once. Raises SettingsError when the
    database was made for another time zone, psycopg.Error when it cannot be reached.
    """
    with connect(owner_url, application_name="traffic-migrate", autocommit=True) as guard:
        guard.execute("select pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        _upgrade(owner_url)
        with guard.transaction():
            write_comments(guard)
        _freeze_timezone(guard, timezone)


def _upgrade(owner_url: str) -> None:
    def open_connection() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(owner_url, application_name="traffic-migrate")

    engine = create_engine("postgresql+psycopg://", creator=open_connection, poolclass=NullPool)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(sql_folder() / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def _freeze_timezone(connection: psycopg.Connection[tuple[object, ...]], timezone: str) -> None:
    row = connection.execute(
        statement("postgres/freeze_timezone"), {"timezone": timezone}
    ).fetchone()
    frozen = row[0] if row else timezone
    if frozen != timezone:
        raise SettingsError(
            f"TRAFFIC_TIMEZONE is {timezone!r}, but this database keeps its dates in {frozen!r}: "
            f"set TRAFFIC_TIMEZONE={frozen}, or start a new database and replay into it."
        )
