"""Storage of Dagster's own state: PostgreSQL for records, TRAFFIC_HOME for files.

`dagster.yaml` names these classes without configuration; each reads the platform's settings. So the
same file serves `traffic up`, a plain `dagster dev` (which makes a temporary DAGSTER_HOME and would
put logs there) and the tests. No password is written into a file, or into the instance reference
that Dagster passes to its processes on their command lines.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any, Self, cast

import click
import sqlalchemy as sa
import sqlalchemy.event
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, set_pg_statement_timeout

from traffic_platform.database_url import build_url, url_parts
from traffic_platform.settings import Settings, SettingsError, load_settings

# Dagster's three stores and the table that each looks for before it creates its own.
_TABLES_OF_STORES = ("runs", "event_logs", "jobs", "instance_info")
_POOL_RECYCLE_SECONDS = 600


def dagster_folder(settings: Settings) -> Path:
    """Return the absolute path of the folder for everything that Dagster writes to disk."""
    return settings.home.resolve() / "dagster"


class _Unconfigured:
    """A class that dagster.yaml names without configuration."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return cast("UserConfigSchema", {})


class PlatformStorage(_Unconfigured, DagsterPostgresStorage):
    """Runs, events, ticks and schedules in the database that the settings name.

    Each process has one pool of connections. Dagster's own storage opens a connection for every
    statement (measured: 21 ms an event, 6 ms with the pool), which would slow down the start of
    runs, every tick, and the daemon, which reads the queue every second.
    """

    def __init__(self, url: str, inst_data: ConfigurableClassData | None = None) -> None:
        engine = connection_pool(url)
        super().__init__(
            url, should_autocreate_tables=not _tables_exist(engine), inst_data=inst_data
        )
        for store in (self.run_storage, self.event_log_storage, self.schedule_storage):
            cast("Any", store)._engine = engine
            # The original would replace our pool by one that does not ping before use. The first
            # request after a restart of PostgreSQL would then fail.
            cast("Any", store).optimize_for_webserver = partial(_limit_statements, engine)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Raises click.ClickException, a one-line error of dagster commands, without a database."""
        del config_value
        try:
            url = load_settings().endpoints().dagster_url
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        return cls(sqlalchemy_url(url), inst_data)


@cache
def connection_pool(url: str) -> sa.Engine:
    """Return the process's pool for Dagster's database; it replaces dead connections on use."""
    return create_pg_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=2,
        max_overflow=30,
        pool_pre_ping=True,
        pool_recycle=_POOL_RECYCLE_SECONDS,
    )


def _limit_statements(engine: sa.Engine, statement_timeout: int, **_pool: int) -> None:
    """Set the time limit (ms) of statements on every connection that the pool opens from now on."""

    def limit(connection: Any, _record: object) -> None:
        set_pg_statement_timeout(connection, statement_timeout)

    sqlalchemy.event.listen(engine, "connect", limit)
    engine.dispose()  # the open connections have no limit


def _tables_exist(engine: sa.Engine) -> bool:
    query = sa.text("select count(*) from pg_tables where tablename = any(:names)")
    with engine.connect() as connection:
        found = connection.execute(query, {"names": list(_TABLES_OF_STORES)}).scalar_one()
    return found >= len(_TABLES_OF_STORES)


class PlatformComputeLogs(_Unconfigured, LocalComputeLogManager):
    """The output of steps, below TRAFFIC_HOME."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        del config_value
        folder = dagster_folder(load_settings()) / "storage"
        return cls(base_dir=str(folder), inst_data=inst_data)


class PlatformArtifacts(_Unconfigured, LocalArtifactStorage):
    """Files that Dagster passes between steps (none of ours does), below TRAFFIC_HOME."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        del config_value
        return cls(base_dir=str(dagster_folder(load_settings())), inst_data=inst_data)


def sqlalchemy_url(url: str) -> str:
    """Return the URL in SQLAlchemy's form. libpq, to which Dagster passes it too, accepts it."""
    return build_url(url_parts(url))
