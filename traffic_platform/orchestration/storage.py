"""Where Dagster keeps its own state: PostgreSQL for records, TRAFFIC_HOME for files.

`dagster.yaml` names these classes and gives them no configuration: each finds its place through the
platform's settings. So the same file serves `traffic up`, a plain `dagster dev` (which makes a
temporary DAGSTER_HOME and would put logs there) and a test, and no password is written into a
file or into the instance reference that Dagster hands to its processes on their command lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, cast

from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from traffic_platform.settings import Settings, load_settings


def dagster_folder(settings: Settings) -> Path:
    """The folder of everything that Dagster writes to disk; an absolute path."""
    return settings.home.resolve() / "dagster"


class PlatformStorage(DagsterPostgresStorage):
    """Runs, events, ticks and schedules in the database that the settings name.

    Raises SettingsError when PostgreSQL is neither set nor started.
    """

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return cast("UserConfigSchema", {})

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        del config_value
        return cls(_sqlalchemy_url(load_settings().endpoints().dagster_url), inst_data=inst_data)


class PlatformComputeLogs(LocalComputeLogManager):
    """What steps print, below TRAFFIC_HOME."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return cast("UserConfigSchema", {})

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        del config_value
        folder = dagster_folder(load_settings()) / "storage"
        return cls(base_dir=str(folder), inst_data=inst_data)


class PlatformArtifacts(LocalArtifactStorage):
    """Files that Dagster passes between steps (none of ours does), below TRAFFIC_HOME."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return cast("UserConfigSchema", {})

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        del config_value
        return cls(base_dir=str(dagster_folder(load_settings())), inst_data=inst_data)


def _sqlalchemy_url(url: str) -> str:
    """libpq takes `postgres://` too; SQLAlchemy knows only the long name."""
    return url.replace("postgres://", "postgresql://", 1)
