"""Services of a stack, and the services that each of them needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from traffic_platform.settings import Endpoints, Settings
from traffic_platform.stack.api import Api
from traffic_platform.stack.dagster import CodeServer, Daemon, DagsterInstance, Webserver
from traffic_platform.stack.kafka import Kafka
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres, connections_for
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Service, Task
from traffic_platform.stack.state import StackFolders

MIGRATION_SECONDS: Final = 4 * 3600.0
"""Limit of the schema task. A large database takes minutes, and PostgreSQL bounds the waits."""


def wanted_parts(settings: Settings, with_dagster: bool) -> list[str]:
    """Return the parts that a stack with these settings starts itself."""
    parts = {
        "PostgreSQL": settings.database_url is None,
        "Kafka": settings.kafka_bootstrap_servers is None,
        "Dagster": with_dagster,
    }
    return [name for name, wanted in parts.items() if wanted]


@dataclass(frozen=True)
class Feed(Service):
    """The synthetic feed of `--demo live`, until the end of the stack."""

    cwd: Path
    name: str = "feed"

    def command(self) -> Command:
        """Return the command of the feed."""
        return Command((sys.executable, "-m", "traffic_platform.demo.live_feed"), self.cwd)

    def ready(self) -> bool:
        """Return True: nothing depends on the feed, so it is ready when it runs."""
        return True


@dataclass(frozen=True)
class Layout:
    """The services of one stack. A server of your own is None here."""

    cwd: Path
    postgres: Postgres | None
    kafka: Kafka | None
    dagster: DagsterInstance | None
    api: Api

    @classmethod
    def plan(
        cls, settings: Settings, folders: StackFolders, ports: Ports, with_dagster: bool
    ) -> Layout:
        """Choose the services and their ports. Raises StackError when no port is free."""
        home, cwd = folders.home, Path.cwd()
        postgres = kafka = dagster = None
        if settings.database_url is None:
            port = ports.reserve("postgres", settings.postgres_port)
            connections = connections_for(settings.writers)
            postgres = Postgres(home / "postgres", home / "passwords.json", port, connections)
        if settings.kafka_bootstrap_servers is None:
            port = ports.reserve("kafka", settings.kafka_port)
            controller = ports.reserve("kafka-controller", settings.kafka_port + 1)
            kafka = Kafka(home / "kafka", port, controller)
        if with_dagster:
            port = ports.reserve("dagster", settings.dagster_port)
            code_port = ports.reserve("dagster-code", settings.dagster_port + 1)
            dagster = DagsterInstance(home / "dagster", cwd, port, code_port)
        api = Api(settings.api_host, ports.reserve("api", settings.api_port), cwd)
        return cls(cwd, postgres, kafka, dagster, api)

    def services(self) -> list[tuple[Service | Task, tuple[str, ...]]]:
        """Return each service or task with the names of those that it needs."""
        schema_needs = ("postgres",) if self.postgres else ()
        topics_needs = ("kafka",) if self.kafka else ()
        found: list[tuple[Service | Task, tuple[str, ...]]] = []
        if self.postgres:
            found.append((self.postgres, ()))
        if self.kafka:
            found.append((self.kafka, ()))
        found.append((self._task("schema"), schema_needs))
        found.append((self._task("topics"), topics_needs))
        found.append((self.api, ("schema",)))
        if self.dagster:
            found.append((CodeServer(self.dagster), ("schema",)))
            found.append((Webserver(self.dagster), ("dagster-code",)))
            found.append((Daemon(self.dagster), ("schema", "topics")))
        return found

    def feed(self) -> Feed:
        """Return the service that `--demo live` adds."""
        return Feed(self.cwd)

    def endpoints(self, settings: Settings) -> Endpoints:
        """Return the addresses of PostgreSQL and Kafka for clients."""
        bootstrap = settings.kafka_bootstrap_servers or ""
        if self.kafka:
            bootstrap = self.kafka.bootstrap_servers
        if self.postgres:
            return self.postgres.endpoints(bootstrap)
        return settings.model_copy(update={"kafka_bootstrap_servers": bootstrap}).endpoints()

    def _task(self, name: str) -> Task:
        argv = (sys.executable, "-m", "traffic_platform.stack.tasks", name)
        seconds = MIGRATION_SECONDS if name == "schema" else Task.seconds
        return Task(name, Command(argv, self.cwd), seconds)
