"""Every setting of the platform, read from the environment (or a `.env`) and validated once.

A process builds one `Settings` at its edge (a command, Dagster's resource, a test) and passes it
on. Where PostgreSQL and Kafka are is a separate question: `Settings.endpoints` answers it from the
settings themselves or, for the embedded stack, from the file that `traffic up` writes.
"""

from __future__ import annotations

import ipaddress
import json
import re
import zoneinfo
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from traffic_platform.database_url import check_url, with_suffix

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]+")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]+)?")


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
        env_prefix="TRAFFIC_",
        env_file=".env",
        # TRAFFIC_DATABASE_URL= in a compose file or a .env means that it is not set.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # Pydantic's messages would show a URL with its password.
        hide_input_in_errors=True,
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
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        default=None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str | None = Field(default=None, description="SASL user.")
    kafka_sasl_password: SecretStr | None = Field(default=None, description="SASL password.")
    kafka_ssl_ca_location: Path | None = Field(
        default=None, description="PEM file of the authority that signed the broker's certificate."
    )
    kafka_ssl_certificate_location: Path | None = Field(
        default=None, description="PEM file of our certificate, where the broker asks for one."
    )
    kafka_ssl_key_location: Path | None = Field(
        default=None, description="PEM file of the certificate's private key."
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        default=None, description="Password of the key's file."
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
    quarantine_topic: str | None = Field(
        default=None, description="Topic that quarantined messages are published to; unset: none."
    )
    publish: bool = Field(
        default=True,
        description="Whether events of the raw topic are published to the clean stream.",
    )
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

    unknown_sensors: Literal["register", "quarantine"] = Field(
        default="register", description="What becomes of events of sensors never seen before."
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
    ingest_run_seconds: float = Field(
        default=1200, gt=0, le=3600, description="A window ends after this time."
    )
    ingest_run_idle_seconds: float = Field(
        default=60, gt=0, description="A window ends after this time without a message."
    )
    lease_seconds: float = Field(
        default=10, ge=2, description="A holder that has not renewed for this long is replaced."
    )

    raw_days: int = Field(
        default=30, ge=0, description="Raw messages are kept this long after arrival; 0: for ever."
    )
    processed_days: int = Field(
        default=90,
        ge=0,
        description="Events are kept this long after the newest of their month; 0: for ever.",
    )
    readings_days: int | None = Field(
        default=None, ge=1, description="The same for readings. Unset: for ever."
    )
    archive: Path | None = Field(
        default=None,
        description="Folder that raw days are written to before they are dropped. Unset: none.",
    )

    # Detector health. The values are those of Caltrans PeMS, as published in the repository
    # cagov/caldata-mdsa-caltrans-pems (transform/seeds/diagnostic_threshold_values.csv, mainline,
    # and models/intermediate/diagnostics), unless another source is named.
    health_min_samples_percent: float = Field(
        default=60,
        ge=0,
        le=100,
        description="Fewer samples than this share of the expected ones (percent) are too few.",
    )
    health_card_off_percent: float = Field(
        default=59,
        ge=0,
        le=100,
        description="Occupancy 0 in more than this share of readings (percent): the card is off.",
    )
    health_card_off_rural_percent: float = Field(
        default=90, ge=0, le=100, description="The same for sensors that are imported as rural."
    )
    health_high_occupancy: float = Field(
        default=70, ge=0, le=100, description="An occupancy above this (percent) is a high one."
    )
    health_high_value_percent: float = Field(
        default=20,
        ge=0,
        le=100,
        description="High occupancy in more than this share of readings (percent) is too much.",
    )
    health_occupancy_without_volume_percent: float = Field(
        default=2,
        ge=0,
        le=100,
        description="Volume 0 with occupancy in more than this share (percent): intermittent.",
    )
    health_volume_without_occupancy_percent: float = Field(
        default=50,
        ge=0,
        le=100,
        description="Occupancy 0 with volume in more than this share (percent): intermittent.",
    )
    health_constant_samples: int = Field(
        default=48,
        ge=2,
        le=204,
        description="So many 5-minute samples in a row with one occupancy, not 0: constant.",
    )
    # No source but our own judgement from here on.
    health_forget_days: int = Field(
        default=60,
        ge=1,
        le=3650,
        description="A sensor that was never imported and is silent for longer is none any more.",
    )
    health_silent_minutes: float = Field(
        default=15,
        gt=0,
        le=60,
        description="Live: silent after this time, and 3 intervals, without a reading.",
    )
    health_stuck_samples: int = Field(
        default=10,
        ge=2,
        description="Live: stuck when at least so many readings of the last hour are all the same.",
    )

    alert_webhook_url: SecretStr | None = Field(
        default=None, description="Set: problems of checks and runs are posted there."
    )
    alert_format: Literal["json", "slack"] = Field(
        default="json", description="What is posted: every field as JSON, or Slack's text."
    )

    # The bound leaves room for the search of a free one.
    postgres_port: int = Field(
        default=5432, ge=1, le=65_000, description="First port tried by the embedded part."
    )
    kafka_port: int = Field(
        default=9092, ge=1, le=65_000, description="First port tried by the embedded part."
    )
    dagster_port: int = Field(
        default=3000, ge=1, le=65_000, description="First port tried by Dagster's webserver."
    )
    api_host: str = Field(
        default="127.0.0.1", description="Address that API and page are bound to."
    )
    api_port: int = Field(
        default=8000, ge=1, le=65_000, description="First port tried by API and page."
    )

    api_keys_required: Literal["auto", "always"] = Field(
        default="auto",
        description="Whether requests need a key: auto: unless bound to this machine alone.",
    )
    api_allowed_hosts: str = Field(
        default="",
        description="Names, with commas, that the API is asked by, beside this machine's own.",
    )
    api_trusted_proxies: str = Field(
        default="",
        description="Addresses or networks, with commas, whose X-Forwarded-For is believed.",
    )
    api_cors_origins: str = Field(
        default="",
        description="Origins, with commas, whose pages may read the API in a browser.",
    )
    api_key_requests_per_minute: int = Field(
        default=6000, ge=0, description="Most requests of one key; 0: no limit."
    )
    api_address_requests_per_minute: int | None = Field(
        default=None,
        ge=0,
        description="Most requests of one address; 0: no limit. Unset: 6000 of those with a key.",
    )
    api_streams_per_key: int = Field(
        default=20, ge=0, description="Most streams of events that a key has open; 0: no limit."
    )
    api_streams_per_address: int = Field(
        default=100, ge=0, description="The same of one address, with or without a key."
    )
    api_streams: int = Field(default=1000, ge=0, description="The same of all together.")
    api_exports_per_key: int = Field(
        default=4, ge=0, description="Most exports that a key has under way; 0: no limit."
    )
    api_exports_per_address: int = Field(
        default=8, ge=0, description="The same of one address, with or without a key."
    )
    api_exports: int = Field(default=16, ge=0, description="The same of all together.")
    map_tiles: str | None = Field(
        default=None,
        description="URL template of map tiles, {z}, {x} and {y} in it. Unset: none are loaded.",
    )
    map_attribution: str = Field(
        default="", description="Whom the page's map names as the source of its tiles."
    )
    dagster_url: str | None = Field(
        default=None,
        description="Where people find Dagster's UI. Unset: that of the running stack.",
    )

    @field_validator("timezone", "naive_timezone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in zoneinfo.available_timezones():
            raise ValueError(f"{value!r} is no IANA time zone; an example is 'America/Los_Angeles'")
        return value

    @field_validator(
        "database_url", "ingest_database_url", "read_database_url", "dagster_database_url"
    )
    @classmethod
    def _url_is_usable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_url(value.get_secret_value())
        return value

    @field_validator("alert_webhook_url")
    @classmethod
    def _webhook_is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("it must begin with https:// or http://")
        return value

    @field_validator("map_tiles", "dagster_url")
    @classmethod
    def _link_is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with https:// or http://")
        return value

    @field_validator("api_trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for item in listed(value):
            try:
                ipaddress.ip_network(item, strict=False)
            except ValueError:
                raise ValueError(
                    f"{item!r} is no address and no network; an example is '10.0.0.0/8'"
                ) from None
        return value

    @field_validator("api_cors_origins")
    @classmethod
    def _origins_are_origins(cls, value: str) -> str:
        for item in listed(value):
            if not _ORIGIN.fullmatch(item):
                raise ValueError(
                    f"{item!r} is no origin; an example is 'https://page.example' (no path, no *)"
                )
        return value

    @field_validator("api_allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, value: str) -> str:
        for item in listed(value):
            if not _HOST.fullmatch(item):
                raise ValueError(
                    f"{item!r} is no host; an example is 'traffic.example' (no port, no *)"
                )
        return value

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        topics = [self.raw_topic, self.events_topic, self.quarantine_topic]
        if len(set(topics)) < len(topics):
            raise ValueError(
                "TRAFFIC_RAW_TOPIC, TRAFFIC_EVENTS_TOPIC and TRAFFIC_QUARANTINE_TOPIC must name"
                " different topics."
            )
        return self

    @model_validator(mode="after")
    def _other_urls_belong_to_a_server_of_your_own(self) -> Self:
        if self.database_url is None:
            for name in ("ingest_database_url", "read_database_url", "dagster_database_url"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"TRAFFIC_{name.upper()} is set and TRAFFIC_DATABASE_URL is not: the"
                        " embedded PostgreSQL has roles and databases of its own. Set both or none."
                    )
        return self

    @model_validator(mode="after")
    def _readings_outlive_their_events(self) -> Self:
        if self.readings_days is not None and not 0 < self.processed_days <= self.readings_days:
            raise ValueError(
                "TRAFFIC_READINGS_DAYS must be at least TRAFFIC_PROCESSED_DAYS, and that not 0:"
                " readings go after the events that they are of."
            )
        return self

    @property
    def ingest_topics(self) -> list[str]:
        """The topics that are ingested: others may publish to the clean stream, too."""
        return [self.raw_topic, self.events_topic]

    @field_validator(
        "kafka_ssl_ca_location", "kafka_ssl_certificate_location", "kafka_ssl_key_location"
    )
    @classmethod
    def _file_is_readable(cls, value: Path | None) -> Path | None:
        try:
            if value is not None:
                value.open("rb").close()
        except OSError as error:
            raise ValueError(f"{value} cannot be read: {error.strerror}") from error
        return value

    @model_validator(mode="after")
    def _kafka_settings_belong_together(self) -> Self:
        mistake = _kafka_mistake(self)
        if mistake:
            raise ValueError(mistake)
        return self

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
                f"Kafka is not known: no stack runs in {self.home} (TRAFFIC_HOME)."
                " Run `traffic up`, or set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
            )
        owner = _secret(self.database_url)
        if owner:
            return Endpoints(
                kafka_bootstrap_servers=bootstrap,
                owner_url=owner,
                ingest_url=_secret(self.ingest_database_url) or owner,
                read_url=_secret(self.read_database_url) or owner,
                dagster_url=_secret(self.dagster_database_url) or with_suffix(owner, "_dagster"),
            )
        if "owner_url" not in stack:
            raise SettingsError(self._unknown_postgres())
        return Endpoints(**{**stack, "kafka_bootstrap_servers": bootstrap})

    def reading_url(self) -> str:
        """The URL of the reading role, for what needs no Kafka. Never print or log it.

        Raises SettingsError when PostgreSQL is neither set nor started.
        """
        own = _secret(self.read_database_url) or _secret(self.database_url)
        url = own or self._stack_endpoints().get("read_url")
        if url is None:
            raise SettingsError(self._unknown_postgres())
        return url

    def owning_url(self) -> str:
        """The URL of the owner's role, for what needs no Kafka. Never print or log it.

        Raises SettingsError when PostgreSQL is neither set nor started.
        """
        url = _secret(self.database_url) or self._stack_endpoints().get("owner_url")
        if url is None:
            raise SettingsError(self._unknown_postgres())
        return url

    def _unknown_postgres(self) -> str:
        return (
            f"PostgreSQL is not known: no stack runs in {self.home} (TRAFFIC_HOME)."
            " Run `traffic up`, or set TRAFFIC_DATABASE_URL."
        )

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
            "ssl.ca.location": self.kafka_ssl_ca_location,
            "ssl.certificate.location": self.kafka_ssl_certificate_location,
            "ssl.key.location": self.kafka_ssl_key_location,
            "ssl.key.password": _secret(self.kafka_ssl_key_password),
        }
        return config | {key: str(value) for key, value in optional.items() if value}

    def _stack_endpoints(self) -> dict[str, str]:
        try:
            return json.loads(self.endpoints_file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{self.endpoints_file} cannot be read ({error}); run `traffic down`, then `up`."
            ) from error


def listed(text: str) -> tuple[str, ...]:
    """The items of a setting that is a list with commas."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def load_settings() -> Settings:
    """Read the settings of this process.

    Raises SettingsError with one readable line per setting that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            _line(item["loc"], item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _line(place: tuple[int | str, ...], message: str) -> str:
    """One wrong setting; without a place, the message names the settings that contradict."""
    text = message.removeprefix("Value error, ")
    name = "_".join(str(part) for part in place).upper()
    return f"TRAFFIC_{name}: {text}" if name else text


def _kafka_mistake(settings: Settings) -> str | None:
    """What a protocol lacks, or what is set that it would not use."""
    protocol = settings.kafka_security_protocol
    sasl: dict[str, object] = {
        "TRAFFIC_KAFKA_SASL_MECHANISM": settings.kafka_sasl_mechanism,
        "TRAFFIC_KAFKA_SASL_USERNAME": settings.kafka_sasl_username,
        "TRAFFIC_KAFKA_SASL_PASSWORD": settings.kafka_sasl_password,
    }
    identity: dict[str, object] = {
        "TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION": settings.kafka_ssl_certificate_location,
        "TRAFFIC_KAFKA_SSL_KEY_LOCATION": settings.kafka_ssl_key_location,
    }
    tls: dict[str, object] = {
        "TRAFFIC_KAFKA_SSL_CA_LOCATION": settings.kafka_ssl_ca_location,
        **identity,
        "TRAFFIC_KAFKA_SSL_KEY_PASSWORD": settings.kafka_ssl_key_password,
    }
    chosen = f"TRAFFIC_KAFKA_SECURITY_PROTOCOL is {protocol}"
    needed = sasl if protocol.startswith("SASL_") else {}
    unused = {**({} if needed else sasl), **({} if protocol.endswith("SSL") else tls)}
    if missing := _names(needed, is_set=False):
        return f"{chosen}: set {missing} too."
    if useless := _names(unused, is_set=True):
        return f"{chosen}, which does not use {useless}: choose another protocol, or unset it."
    if _names(identity, is_set=True) and (missing := _names(identity, is_set=False)):
        return f"A certificate and its key belong together: set {missing} too."
    if settings.kafka_ssl_key_password and not settings.kafka_ssl_key_location:
        return "TRAFFIC_KAFKA_SSL_KEY_PASSWORD is set without TRAFFIC_KAFKA_SSL_KEY_LOCATION."
    if protocol != "PLAINTEXT" and not settings.kafka_bootstrap_servers:
        return (
            f"{chosen}: set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS too; the embedded Kafka is PLAINTEXT."
        )
    return None


def _names(values: dict[str, object], *, is_set: bool) -> str:
    return ", ".join(name for name, value in values.items() if bool(value) == is_set)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
