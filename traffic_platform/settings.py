"""Every setting of the platform, read from the environment (or a `.env`) and validated once.

A process builds one `Settings` at its edge (a command, Dagster's resource, a test) and passes it
on. Where PostgreSQL and Kafka are is a separate question: `Settings.endpoints` answers it from the
settings themselves or, for the embedded stack, from the file that `traffic up` writes.
"""

from __future__ import annotations

import json
import zoneinfo
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class SettingsError(Exception):
    """A setting is wrong or missing. The message says which one and what to do (permanent)."""


@dataclass(frozen=True)
class Endpoints:
    """Where the parts are. URLs are libpq URIs that hold a password: never print or log them.

    `owner_url` migrates, `ingest_url` writes, `read_url` reads; `dagster_url` is the database of
    Dagster's own storage.
    """

    kafka_bootstrap_servers: str
    owner_url: str
    ingest_url: str
    read_url: str
    dagster_url: str

    def save(self, path: Path) -> None:
        """Write the endpoints to `path`, readable by the owner of the file only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(self), indent=2))
        temporary.replace(path)


class Settings(BaseSettings):
    """All settings. The environment variable of a field is `TRAFFIC_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="TRAFFIC_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(
        default=Path(".traffic"),
        description="Folder of all local state: data of the embedded stack, logs, endpoints.",
    )

    kafka_bootstrap_servers: str | None = Field(
        default=None, description="host:port[,…]. Set: this Kafka is used, none is started."
    )
    kafka_security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT", description="How to talk to Kafka."
    )
    kafka_sasl_mechanism: str | None = Field(
        default=None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str | None = Field(default=None, description="SASL user.")
    kafka_sasl_password: SecretStr | None = Field(default=None, description="SASL password.")
    kafka_ssl_ca_location: Path | None = Field(
        default=None, description="PEM file of the authority that signed the broker's certificate."
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="libpq URI of the owner role. Set: this PostgreSQL is used, none is started.",
    )
    ingest_database_url: SecretStr | None = Field(
        default=None, description="The same database as the writing role. Default: DATABASE_URL."
    )
    read_database_url: SecretStr | None = Field(
        default=None, description="The same database as the reading role. Default: DATABASE_URL."
    )
    dagster_database_url: SecretStr | None = Field(
        default=None,
        description="Database of Dagster's storage. Default: DATABASE_URL's, named …_dagster.",
    )

    raw_topic: str = Field(default="traffic-raw", description="Topic that detectors publish to.")
    events_topic: str = Field(default="traffic-events", description="Topic of the clean stream.")
    topic_partitions: int = Field(
        default=6, ge=1, le=1000, description="Partitions of a topic that is not there yet."
    )
    consumer_group: str = Field(
        default="backend-db-writer",
        description="Kafka group that offsets are committed to afterwards, for lag tools only.",
    )

    timezone: str = Field(
        default="UTC", description="The zone whose days are 'dates'. Frozen in the database."
    )
    naive_timezone: str | None = Field(
        default=None, description="The zone that timestamps without one mean. Unset: quarantined."
    )
    first_date: date = Field(
        default=date(2010, 1, 1), description="Events before this date are quarantined."
    )

    writers: int = Field(
        default=1, ge=1, le=64, description="Windows at a time, each with its own partitions."
    )
    batch_messages: int = Field(
        default=20_000, ge=1, le=200_000, description="Most messages of a micro-batch."
    )
    batch_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="Most payload bytes of a micro-batch."
    )
    batch_linger_ms: int = Field(
        default=100, ge=1, le=10_000, description="Wait for more messages in thin traffic (ms)."
    )
    window_seconds: float = Field(
        default=600, gt=0, le=3600, description="A window ends after this time."
    )
    window_idle_seconds: float = Field(
        default=60, gt=0, description="A window ends after this time without a message."
    )
    lease_seconds: float = Field(
        default=10, ge=2, description="A holder that has not renewed for this long is replaced."
    )

    postgres_port: int = Field(default=5432, description="First port tried by the embedded part.")
    kafka_port: int = Field(default=9092, description="First port tried by the embedded part.")
    dagster_port: int = Field(default=3000, description="First port tried by Dagster's webserver.")

    @field_validator("timezone", "naive_timezone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in zoneinfo.available_timezones():
            raise ValueError(f"{value!r} is no IANA time zone; an example is 'America/Los_Angeles'")
        return value

    @field_validator("database_url", "ingest_database_url", "read_database_url")
    @classmethod
    def _url_is_readable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                conninfo_to_dict(value.get_secret_value())
            except Exception as error:
                raise ValueError(
                    "no libpq URI; an example is 'postgresql://user:password@host:5432/traffic'"
                ) from error
        return value

    @property
    def endpoints_file(self) -> Path:
        """The file in which the embedded stack says where its parts are."""
        return self.home / "run" / "endpoints.json"

    @property
    def logs(self) -> Path:
        """Folder of the logs of every service of the local stack."""
        return self.home / "logs"

    def endpoints(self) -> Endpoints:
        """Where PostgreSQL and Kafka are: the settings first, then the running stack's file.

        Raises SettingsError when a part is neither set nor started.
        """
        stack = self._stack_endpoints()
        bootstrap = self.kafka_bootstrap_servers or stack.get("kafka_bootstrap_servers")
        if not bootstrap:
            raise SettingsError(
                "Kafka is not known: run `traffic up`, or set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
            )
        owner = _secret(self.database_url)
        if owner:
            return Endpoints(
                kafka_bootstrap_servers=bootstrap,
                owner_url=owner,
                ingest_url=_secret(self.ingest_database_url) or owner,
                read_url=_secret(self.read_database_url) or owner,
                dagster_url=_secret(self.dagster_database_url) or _with_suffix(owner, "_dagster"),
            )
        if "owner_url" not in stack:
            raise SettingsError(
                "PostgreSQL is not known: run `traffic up`, or set TRAFFIC_DATABASE_URL."
            )
        return Endpoints(**{**stack, "kafka_bootstrap_servers": bootstrap})

    def kafka_config(self, bootstrap_servers: str | None = None) -> dict[str, str]:
        """What every Kafka client needs to connect, in librdkafka's names."""
        config = {
            "bootstrap.servers": bootstrap_servers or self.endpoints().kafka_bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        optional = {
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": _secret(self.kafka_sasl_password),
            "ssl.ca.location": self.kafka_ssl_ca_location and str(self.kafka_ssl_ca_location),
        }
        return config | {key: value for key, value in optional.items() if value}

    def _stack_endpoints(self) -> dict[str, str]:
        try:
            return json.loads(self.endpoints_file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{self.endpoints_file} cannot be read ({error}); run `traffic down`, then `up`."
            ) from error


def load_settings() -> Settings:
    """Read the settings of this process.

    Raises SettingsError with one readable line per setting that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"TRAFFIC_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def _with_suffix(url: str, suffix: str) -> str:
    """The same server, the database's name with `suffix` added; URI options are kept."""
    head, _, options = url.partition("?")
    return f"{head.rstrip('/')}{suffix}" + (f"?{options}" if options else "")
