"""A PostgreSQL and a Kafka for one benchmark, with a new database for every leg."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from traffic_platform.postgres.migrate import migrate
from traffic_platform.stack.kafka import Kafka
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform.stack.standalone import Standalone, standalone_kafka, standalone_postgres

_FIRST_PORTS = {"postgres": 35432, "kafka": 39092}  # a running stack may use the defaults
_TEMPLATE = "bench_template"
_BARE = "bench_bare"
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class Servers:
    """The two running services."""

    postgres: Postgres
    kafka: Kafka
    postgres_pid: int
    kafka_pid: int

    def superuser(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Return a superuser's connection in autocommit."""
        return psycopg.connect(self.postgres.url("postgres", database), autocommit=True)

    @contextmanager
    def database(self, *, migrated: bool) -> Generator[str]:
        """Make a database, with the platform's schema or empty, run a checkpoint, drop it later."""
        name = f"bench_leg_{uuid4().hex[:12]}"
        template = _TEMPLATE if migrated else _BARE
        with self.superuser() as connection:
            self.postgres.create_database(connection, name, "traffic_owner", template=template)
            connection.execute("checkpoint")
        try:
            yield name
        finally:
            with self.superuser() as connection:
                drop = sql.SQL("drop database if exists {} with (force)")
                connection.execute(drop.format(sql.Identifier(name)))

    def require_durability(self, database: str) -> dict[str, str]:
        """Return the settings that make a commit durable, as the server reports them.

        Raises RuntimeError when one is off, a table is unlogged or a trigger is disabled.
        """
        with self.superuser(database) as connection:
            settings = {
                name: str(_value(connection, "select current_setting(%s)", name))
                for name in (*_DURABLE, "session_replication_role", "wal_level", "server_version")
            }
            unlogged = _value(
                connection, "select count(*) from pg_class where relpersistence = 'u'"
            )
            disabled = _value(connection, "select count(*) from pg_trigger where tgenabled <> 'O'")
        weak = {name for name, value in _DURABLE.items() if settings[name] != value}
        if weak or unlogged or disabled or settings["session_replication_role"] != "origin":
            raise RuntimeError(
                f"The server is not durable: settings {weak or 'as expected'}, {unlogged} unlogged"
                f" relations, {disabled} disabled triggers, replication role"
                f" {settings['session_replication_role']}."
            )
        return settings


@contextmanager
def running_servers() -> Generator[Servers]:
    """Start both servers in a new folder under .traffic; stop them and remove it at the end."""
    Path(".traffic").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=".traffic")).resolve()
    folder.chmod(0o755)  # if we are root, PostgreSQL runs as another user
    ports = Ports(folder / "ports.json")
    postgres = standalone_postgres(folder, ports, _FIRST_PORTS["postgres"])
    kafka = standalone_kafka(folder, ports, _FIRST_PORTS["kafka"])
    processes = [Standalone(service, folder / "logs") for service in (postgres, kafka)]
    try:
        for process in processes:
            process.start()
        _make_templates(postgres)
        yield Servers(postgres, kafka, processes[0].pid, processes[1].pid)
    finally:
        for process in reversed(processes):
            process.stop()
        ports.close()
        shutil.rmtree(folder, ignore_errors=True)


def _make_templates(postgres: Postgres) -> None:
    postgres.provision()
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as connection:
        for name in (_TEMPLATE, _BARE):
            postgres.create_database(connection, name, "traffic_owner")
    migrate(postgres.url("traffic_owner", _TEMPLATE), "UTC")


def _value(connection: psycopg.Connection[Any], query: str, *arguments: object) -> Any:
    row = connection.execute(query, arguments).fetchone()  # pyright: ignore[reportArgumentType]
    assert row is not None
    return row[0]
