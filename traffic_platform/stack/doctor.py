"""Examination of everything that the platform needs, for `traffic doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import psycopg
from confluent_kafka import KafkaException

from traffic_platform.errors import IngestError, translate
from traffic_platform.kafka.admin import Broker
from traffic_platform.monitoring.disk_space import existing, full_disks
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.settings import (
    Endpoints,
    Settings,
    SettingsError,
    load_settings,
    unknown_settings,
)
from traffic_platform.stack.find import FoundStack, find_stack

_PYTHON: Final = ((3, 11), (3, 14))
_POSTGRES: Final = (15, 18)
_OLDEST_KAFKA: Final = (3, 7)
_ANSWER_SECONDS: Final = 5.0
_CLOCK_SECONDS: Final = 10.0  # ingest rejects events from 300 s in the future

State = Literal["ok", "fault", "not checked"]


@dataclass(frozen=True)
class Finding:
    """Result for one subject. `text` is the finding and, for a fault, its remedy."""

    subject: str
    state: State
    text: str


def examine() -> list[Finding]:
    """Examine settings, versions, rights, disk, clock, Kafka and both databases."""
    findings = [_python(), *(_fault("settings", text) for text in unknown_settings())]
    try:
        stack = _find(load_settings())
    except SettingsError as error:
        wrong = [_fault("settings", line) for line in str(error).splitlines()]
        rest = Finding("servers", "not checked", "The settings are invalid. Correct them first.")
        return [*findings, *wrong, rest]
    if len(findings) == 1:
        findings.append(Finding("settings", "ok", "All settings are valid."))
    findings += [_folder(stack.settings.home), *_disks(stack.settings)]
    return [*findings, *_postgres(stack), *_kafka(stack)]


def _find(settings: Settings) -> FoundStack:
    try:
        return find_stack(settings)
    except OSError:  # the folder's own finding says why it cannot be read
        return FoundStack(settings, None, (settings.home,))


def _fault(subject: str, text: object) -> Finding:
    return Finding(subject, "fault", " ".join(str(text).split()))


def _python() -> Finding:
    lowest, highest = _PYTHON
    text = f"Python {platform.python_version()}"
    if lowest <= sys.version_info[:2] <= highest:
        return Finding("python", "ok", text)
    return _fault("python", f"{text} is not supported. Install Python 3.11 to 3.14.")


def _folder(home: Path) -> Finding:
    if "," in str(home):
        return _fault("folder", f"The path {home} contains a comma. Set another TRAFFIC_HOME.")
    folder = existing(home)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return _fault(
            "folder",
            f"{folder} is not a folder that this user may write. Correct its rights, or set another"
            " TRAFFIC_HOME.",
        )
    return Finding("folder", "ok", f"{home} can be written.")


def _disks(settings: Settings) -> list[Finding]:
    found = [_fault("disk", f"{text[0].upper()}{text[1:]}.") for text in full_disks(settings)]
    free = shutil.disk_usage(existing(settings.home)).free / 1024**3
    return found or [Finding("disk", "ok", f"{free:.1f} GiB are free for {settings.home}.")]


def _postgres(stack: FoundStack) -> list[Finding]:
    settings = stack.settings
    if settings.database_url is None and stack.state is None:
        return [
            Finding("postgresql", "not checked", f"{stack.missing}."),
            Finding("dagster database", "not checked", f"{stack.missing}."),
        ]
    try:
        # The addresses of PostgreSQL do not depend on that of Kafka.
        named = settings.kafka_bootstrap_servers or "unused"
        endpoints = settings.model_copy(update={"kafka_bootstrap_servers": named}).endpoints()
    except SettingsError as error:
        return [_fault("postgresql", error)]
    return [
        _owner(endpoints),
        _role("ingest role", endpoints.ingest_url, "raw_events", "insert", "INGEST_"),
        _role("reading role", endpoints.read_url, "traffic_readings", "select", "READ_"),
        _dates(endpoints, settings.timezone),
        _dagster(endpoints),
    ]


def _owner(endpoints: Endpoints) -> Finding:
    """Check the version, the clock, and that the owner may create the schema."""
    subject = "postgresql"
    try:
        with closing(_connect(endpoints.owner_url)) as connection:
            major = connection.info.server_version // 10_000
            lowest, highest = _POSTGRES
            if not lowest <= major <= highest:
                text = f"PostgreSQL {major} is not supported. Install PostgreSQL 15 to 18."
                return _fault(subject, text)
            shift = _clock_shift(connection)
            if abs(shift) > _CLOCK_SECONDS:
                text = f"The clocks of this machine and of PostgreSQL differ by {abs(shift):.0f} s."
                return _fault("clock", f"{text} Synchronize both, such as by NTP.")
            query = "select has_database_privilege(current_database(), 'create')"
            if not _asked(connection, query):
                text = "The owner may not create schemas in its database. Grant it CREATE."
                return _fault(subject, text)
    except psycopg.Error as error:
        return _unreachable(subject, "TRAFFIC_DATABASE_URL", error)
    text = f"PostgreSQL {major} answers; its clock differs by {abs(shift):.1f} s."
    return Finding(subject, "ok", text)


def _clock_shift(connection: Connection) -> float:
    """Return how far the server's clock is ahead (s), within half the duration of the request."""
    before = datetime.now(UTC)
    row = connection.execute("select clock_timestamp()").fetchone()
    after = datetime.now(UTC)
    assert row is not None
    return (row[0] - (before + (after - before) / 2)).total_seconds()


def _role(subject: str, url: str, table: str, right: str, infix: str) -> Finding:
    try:
        with closing(_connect(url)) as connection:
            if not _asked(connection, "select to_regnamespace('traffic') is not null"):
                text = "The database has no schema yet. Run `traffic up`, which creates it."
                return Finding(subject, "not checked", text)
            query = "select has_schema_privilege('traffic', 'usage')"
            usage = _asked(connection, query)
            query = "select has_table_privilege(format('traffic.%%I', %s::text), %s)"
            if not usage or not _asked(connection, query, table, right):
                return _fault(
                    subject,
                    f"Role {connection.info.user} may not {right} rows of traffic.{table}."
                    " docs/postgresql.md lists the roles and their rights.",
                )
            return Finding(subject, "ok", f"Role {connection.info.user} has its rights.")
    except psycopg.Error as error:
        return _unreachable(subject, f"TRAFFIC_{infix}DATABASE_URL", error)


def _dates(endpoints: Endpoints, timezone: str) -> Finding:
    try:
        with closing(_connect(endpoints.read_url)) as connection:
            if not _asked(connection, "select to_regclass('traffic.platform') is not null"):
                return Finding("time zone", "not checked", "The database has no schema yet.")
            require_timezone(connection, timezone)
    except SettingsError as error:
        return _fault("time zone", error)
    except psycopg.Error as error:
        text = f"PostgreSQL does not tell: {' '.join(str(error).split())}"
        return Finding("time zone", "not checked", text)
    return Finding("time zone", "ok", f"Dates are days in {timezone}.")


def _dagster(endpoints: Endpoints) -> Finding:
    subject = "dagster database"
    try:
        with closing(_connect(endpoints.dagster_url)) as connection:
            name = connection.info.dbname
    except psycopg.Error as error:
        return _unreachable(subject, "TRAFFIC_DAGSTER_DATABASE_URL", error)
    return Finding(subject, "ok", f"Database {name} answers.")


def _connect(url: str) -> Connection:
    return connect(url, application_name="traffic doctor", autocommit=True)


def _asked(connection: Connection, query: str, *values: str) -> bool:
    row = connection.execute(query.encode(), values or None).fetchone()
    return row is not None and bool(row[0])


def _unreachable(subject: str, variable: str, error: psycopg.Error) -> Finding:
    text = str(translate(error) or error).rstrip(".")
    return _fault(subject, f"{text}. Start the server, or correct {variable}.")


def _kafka(stack: FoundStack) -> list[Finding]:
    settings = stack.settings
    if settings.kafka_bootstrap_servers is None and stack.state is None:
        return [Finding("kafka", "not checked", f"{stack.missing}.")]
    try:
        servers = settings.kafka_bootstrap_servers or settings.endpoints().kafka_bootstrap_servers
    except SettingsError as error:
        return [_fault("kafka", error)]
    broker = Broker(settings.kafka_config(servers), _ANSWER_SECONDS)
    try:
        broker.cluster_id()
    except (IngestError, KafkaException) as error:
        text = str(_translated(error)).rstrip(".")
        advice = "Start it, or correct TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
        return [_fault("kafka", f"{text}. {advice}")]
    return [_kafka_version(broker), *_topics(broker, settings)]


def _kafka_version(broker: Broker) -> Finding:
    version = broker.protocol_version()
    if version is None:
        return Finding("kafka", "ok", "Kafka answers; it does not tell its version.")
    text = f"Kafka {'.'.join(map(str, version))}"
    if version < _OLDEST_KAFKA:
        return _fault("kafka", f"{text} is not supported. Install Kafka 3.7 to 4.3.")
    return Finding("kafka", "ok", f"{text} answers.")


def _topics(broker: Broker, settings: Settings) -> list[Finding]:
    """Check that topics exist and that the login may use them."""
    needed = [(name, broker.require_read) for name in settings.ingest_topics]
    if settings.publish:
        needed.append((settings.events_topic, broker.require_write))
    if settings.quarantine_topic:
        needed.append((settings.quarantine_topic, broker.require_write))
    found: list[Finding] = []
    for name, require in needed:
        try:
            require(name)
        except (IngestError, KafkaException) as error:
            found.append(_fault("topics", _translated(error)))
    return found or [Finding("topics", "ok", "All topics exist and may be used.")]


def _translated(error: Exception) -> Exception:
    return error if isinstance(error, IngestError) else translate(error) or error
