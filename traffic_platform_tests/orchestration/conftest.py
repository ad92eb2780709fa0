"""A real Dagster instance in PostgreSQL, configured by the repository's own dagster.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.defs_state.base import set_defs_state_storage

from traffic_platform.orchestration.instance.storage import (
    PlatformStorage,
    connection_pool,
    sqlalchemy_url,
)
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dagster_template(postgres: PostgresServer) -> str:
    """Name of a database with Dagster's empty tables, made by the storage itself."""
    name = "dagster_template"
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "dagster")
    url = sqlalchemy_url(postgres.service.url("dagster", name))
    PlatformStorage(url)
    connection_pool(url).dispose()
    return name


@pytest.fixture
def dagster_url(postgres: PostgresServer, dagster_template: str) -> Iterator[str]:
    """A database of the test's own for Dagster's storage."""
    with postgres.new_database("dagster", dagster_template) as name:
        url = postgres.service.url("dagster", name)
        yield url
        connection_pool(sqlalchemy_url(url)).dispose()


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
