"""All settings of the platform, read from the environment or a `.env` and validated once."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from traffic_platform.database_url import with_suffix
from traffic_platform.settings.alerts import AlertSettings
from traffic_platform.settings.api import ApiSettings
from traffic_platform.settings.dashboard import DashboardSettings
from traffic_platform.settings.database import DatabaseSettings
from traffic_platform.settings.endpoints import Endpoints, SettingsError, load_endpoints
from traffic_platform.settings.events import EventSettings
from traffic_platform.settings.health import HealthSettings
from traffic_platform.settings.ingest import IngestSettings
from traffic_platform.settings.kafka import KafkaSettings
from traffic_platform.settings.retention import RetentionSettings
from traffic_platform.settings.stack import StackSettings
from traffic_platform.settings.subject import reveal
from traffic_platform.settings.topics import TopicSettings

# Former settings are refused: a value that is ignored would look like one that is used.
_REPLACED = {
    "TRAFFIC_WINDOW_SECONDS": "TRAFFIC_INGEST_RUN_SECONDS",
    "TRAFFIC_WINDOW_IDLE_SECONDS": "TRAFFIC_INGEST_RUN_IDLE_SECONDS",
}


class Settings(
    StackSettings,
    KafkaSettings,
    DatabaseSettings,
    TopicSettings,
    EventSettings,
    IngestSettings,
    RetentionSettings,
    HealthSettings,
    AlertSettings,
    ApiSettings,
    DashboardSettings,
):
    """All settings."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the usual sources. Raises SettingsError when one holds a replaced setting."""
        del settings_cls
        for source in (env_settings, dotenv_settings):
            _refuse_replaced(source)
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @property
    def endpoints_file(self) -> Path:
        """File with the addresses of the embedded servers."""
        return self.home / "run" / "endpoints.json"

    @property
    def logs(self) -> Path:
        """Folder of the logs of every service of the local stack."""
        return self.home / "logs"

    def endpoints(self) -> Endpoints:
        """Return the addresses: from the settings, else those of the running stack.

        Raises SettingsError when a server is neither set nor started.
        """
        stack = load_endpoints(self.endpoints_file)
        bootstrap = self.kafka_bootstrap_servers or stack.get("kafka_bootstrap_servers")
        if not bootstrap:
            raise self._not_known("Kafka", "TRAFFIC_KAFKA_BOOTSTRAP_SERVERS")
        owner = reveal(self.database_url)
        if owner:
            return Endpoints(
                kafka_bootstrap_servers=bootstrap,
                owner_url=owner,
                ingest_url=reveal(self.ingest_database_url) or owner,
                read_url=reveal(self.read_database_url) or owner,
                dagster_url=reveal(self.dagster_database_url) or with_suffix(owner, "_dagster"),
            )
        if "owner_url" not in stack:
            raise self._not_known("PostgreSQL", "TRAFFIC_DATABASE_URL")
        return Endpoints(**{**stack, "kafka_bootstrap_servers": bootstrap})

    def reading_url(self) -> str:
        """Return the URL of the reading role, without asking for Kafka. Never print or log it.

        Raises SettingsError when PostgreSQL is neither set nor started.
        """
        own = reveal(self.read_database_url) or reveal(self.database_url)
        return own or self._stack_url("read_url")

    def owning_url(self) -> str:
        """Return the URL of the owner's role, without asking for Kafka. Never print or log it.

        Raises SettingsError when PostgreSQL is neither set nor started.
        """
        return reveal(self.database_url) or self._stack_url("owner_url")

    def kafka_config(self, bootstrap_servers: str | None = None) -> dict[str, str]:
        """Return the configuration that every Kafka client needs, in librdkafka's names."""
        return self.client_config(bootstrap_servers or self.endpoints().kafka_bootstrap_servers)

    def _stack_url(self, name: str) -> str:
        url = load_endpoints(self.endpoints_file).get(name)
        if url is None:
            raise self._not_known("PostgreSQL", "TRAFFIC_DATABASE_URL")
        return url

    def _not_known(self, server: str, variable: str) -> SettingsError:
        return SettingsError(
            f"{server} is not known: no stack runs in {self.home} (TRAFFIC_HOME)."
            f" Run `traffic up`, or set {variable}."
        )


def load_settings(folder: Path | None = None) -> Settings:
    """Read the settings of this process, or those that it would have in another folder.

    Raises SettingsError with one line for each wrong setting.
    """
    try:
        if folder is None:
            return Settings()
        there = Settings(_env_file=folder / ".env")  # pyright: ignore[reportCallIssue]
        return there.model_copy(update={"home": folder / there.home})
    except ValidationError as error:
        lines = [
            _line(item["loc"], item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _line(location: tuple[int | str, ...], message: str) -> str:
    """Return one wrong setting as a line. Without a location, the message names the settings."""
    text = message.removeprefix("Value error, ")
    name = "_".join(str(part) for part in location).upper()
    return f"TRAFFIC_{name}: {text}" if name else text


def _refuse_replaced(source: PydanticBaseSettingsSource) -> None:
    assert isinstance(source, EnvSettingsSource)
    found = [name for name in _REPLACED if name.lower() in source.env_vars]
    if found:
        raise SettingsError(
            "\n".join(f"{name} was replaced. Set {_REPLACED[name]} instead." for name in found)
        )
