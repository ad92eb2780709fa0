"""Bring a database to this version's schema."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, LiteralString

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import errors as pg
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from traffic_platform.errors import TransientError
from traffic_platform.postgres.catalogue import write_comments
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.settings import SettingsError
from traffic_platform.statements import sql_folder, statement

log = logging.getLogger(__name__)

_MIGRATION_LOCK = 7_204_511_001  # any constant: one migration at a time per database
_LAST_OF_0_1_0: Final = "0012"
_FROM_0_1_0: Final[tuple[LiteralString, ...]] = (
    "migrations/from_0_1_0",
    "migrations/baseline/5_functions",
    "migrations/baseline/6_event_views",
)
_OLDER: Final = frozenset(f"{number:04}" for number in range(1, 12))
# Longer than PostgreSQL's deadlock_timeout (1 s): a vacuum in the background then gives way.
_LOCK_TIMEOUT: Final = "2s"
_OTHER_MIGRATION: Final = "10min"

Connection = psycopg.Connection[Any]


def migrate(owner_url: str, timezone: str, lock_retry: LockRetry | None = None) -> None:
    """Bring the schema to this version, write the comments and freeze the platform's time zone.

    A new database gets the baseline and the later migrations. One of version 0.1.0 is first brought
    over in place. Each step is one transaction; `lock_retry` says for how long it retries while
    other sessions use its tables.
    Safe to call at every start and from several processes at once.

    Raises SettingsError when the database has another time zone, is older than the last revision
    of 0.1.0 or newer than this version, or has views of the user that a migration cannot keep;
    TransientError when other sessions keep its tables locked; psycopg.Error when it cannot be
    reached.
    """
    with connect(owner_url, application_name="traffic-migrate", autocommit=True) as guard:
        guard.execute("select set_config('lock_timeout', %s, false)", (_OTHER_MIGRATION,))
        guard.execute("select pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        guard.execute("reset lock_timeout")
        revision = _stored_revision(guard)
        if revision == _LAST_OF_0_1_0:
            _with_locks(guard, lock_retry, lambda: _bring_over(guard))
            guard.execute(statement("migrations/analyze_new_columns"))
        elif revision is not None:
            _require_known(revision)
        if revision != _scripts().get_current_head():
            _with_locks(guard, lock_retry, lambda: _upgrade(owner_url))
        with guard.transaction():
            write_comments(guard)
        _freeze_timezone(guard, timezone)


def _stored_revision(connection: Connection) -> str | None:
    """The revision that the database is stamped with; None for a new database."""
    table = connection.execute("select to_regclass('public.traffic_alembic_version')").fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute("select version_num from public.traffic_alembic_version").fetchone()
    return None if row is None else str(row[0])


def _require_known(revision: str) -> None:
    if revision in _OLDER:
        raise SettingsError(
            f"This database has revision {revision}, which is older than the last one of version"
            f" 0.1.0 ({_LAST_OF_0_1_0}). Upgrade it with version 0.1.0 first: install"
            " traffic-platform==0.1.0, run `traffic up` and `traffic down`, then install this"
            " version again."
        )
    if revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise SettingsError(
            f"This database has revision {revision}, which this version does not know. Install the"
            " version of traffic-platform that made it, or a newer one."
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(sql_folder() / "migrations"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _upgrade(owner_url: str) -> None:
    """Run the migrations that the database does not have; the baseline is the first."""

    def open_connection() -> Connection:
        connection = connect(owner_url, application_name="traffic-migrate")
        connection.execute("select set_config('lock_timeout', %s, false)", (_LOCK_TIMEOUT,))
        connection.commit()
        return connection

    engine = create_engine("postgresql+psycopg://", creator=open_connection, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except pg.DependentObjectsStillExist as error:
        raise SettingsError(error.diag.message_primary or str(error)) from None
    finally:
        engine.dispose()


def _bring_over(connection: Connection) -> None:
    """Bring a database of version 0.1.0 to the baseline, in one transaction."""
    log.info("Bringing the database of version 0.1.0 over")
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", (_LOCK_TIMEOUT,))
        for script in _FROM_0_1_0:
            connection.execute(statement(script))


def _with_locks(
    guard: Connection, lock_retry: LockRetry | None, change: Callable[[], None]
) -> None:
    """Make a change that needs the tables' locks. It has no effect while they are not free."""
    blockers: list[str] = []

    def attempt() -> bool:
        try:
            change()
        except (pg.LockNotAvailable, pg.DeadlockDetected):
            blockers[:] = _blockers(guard)
            log.warning("The migration waits for %s", "; ".join(blockers) or "other sessions")
            raise
        return True

    if not (lock_retry or LockRetry()).run(attempt):
        raise TransientError(
            f"The database was not migrated: {'; '.join(blockers) or 'other sessions'} kept its"
            " tables in use. End these sessions or wait for them, then run `traffic up` again."
        )


def _blockers(connection: Connection) -> list[str]:
    """Sessions that use the tables, in words: application, process, role and a table."""
    return [
        f"{application} (process {pid}, role {role}) uses traffic.{table}"
        for pid, role, application, table in connection.execute(statement("migrations/blockers"))
    ]


def _freeze_timezone(connection: Connection, timezone: str) -> None:
    row = connection.execute(
        statement("postgres/freeze_timezone"), {"timezone": timezone}
    ).fetchone()
    frozen = row[0] if row else timezone
    if frozen != timezone:
        raise SettingsError(
            f"TRAFFIC_TIMEZONE is {timezone!r}, but this database keeps its dates in {frozen!r}:"
            f" set TRAFFIC_TIMEZONE={frozen}, or ingest into a new database."
        )
