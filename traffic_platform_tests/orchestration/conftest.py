"""A real Dagster instance in PostgreSQL, configured by the repository's own dagster.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.defs_state.base import set_defs_state_storage
from psycopg import sql

from traffic_platform.kafka.admin import Broker
from traffic_platform.orchestration.instance.storage import PlatformStorage, sqlalchemy_url
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer

ROOT = Path(__file__).parents[2]


@contextmanager
def requests_of(seconds: float) -> Iterator[None]:
    """Requests to Kafka that wait so long for an answer, not 10 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Broker.__init__, "__defaults__", (seconds,))
        yield


@dataclass(frozen=True)
class DagsterDatabase:
    """The session's database for Dagster's storage, and the tables that are empty at first."""

    url: str
    tables: list[str]


@pytest.fixture(scope="session")
def dagster_database(postgres: PostgresServer) -> DagsterDatabase:
    """A database with Dagster's tables, made by the storage itself."""
    name = "dagster_of_tests"
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "dagster")
    url = postgres.service.url("dagster", name)
    PlatformStorage(sqlalchemy_url(url))
    with psycopg.connect(url) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'")
        return DagsterDatabase(url, [name for (name,) in tables if not filled(connection, name)])


def filled(connection: psycopg.Connection, table: str) -> bool:
    """Whether a table has rows."""
    query = sql.SQL("select exists (select from {})").format(sql.Identifier(table))
    return connection.execute(query).fetchone() == (True,)


@pytest.fixture
def dagster_url(dagster_database: DagsterDatabase) -> str:
    """The database for Dagster's storage, emptied of what other tests have left."""
    with psycopg.connect(dagster_database.url) as connection:
        left = [table for table in dagster_database.tables if filled(connection, table)]
        if left:
            names = sql.SQL(", ").join(map(sql.Identifier, left))
            connection.execute(sql.SQL("truncate {} restart identity cascade").format(names))
    return dagster_database.url


@pytest.fixture
def platform(
    settings: Settings,
    environment: dict[str, str],
    dagster_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """Settings with that database and short runs, also in the process's environment."""
    monkeypatch.chdir(ROOT)
    changed = {
        "dagster_database_url": dagster_url,
        "ingest_run_seconds": 30,
        "ingest_run_idle_seconds": 1,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name, value in changed.items():
        monkeypatch.setenv(f"TRAFFIC_{name.upper()}", str(value))
    return Settings(_env_file=None)  # pyright: ignore[reportCallIssue]


@pytest.fixture
def instance(platform: Settings, tmp_path: Path) -> Iterator[DagsterInstance]:
    """The instance that `dagster dev` makes in the repository's root."""
    ref = InstanceRef.from_dir(str(tmp_path), config_dir=str(ROOT))
    # A run in this process would leave its instance's state storage behind for the next load.
    with DagsterInstance.from_ref(ref) as instance, set_defs_state_storage(None):
        yield instance


@pytest.fixture
def storage(platform: Settings, instance: DagsterInstance) -> Iterator[psycopg.Connection]:
    """A connection to the database of the instance's storage, in autocommit."""
    with psycopg.connect(platform.endpoints().dagster_url, autocommit=True) as connection:
        yield connection
