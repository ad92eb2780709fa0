"""Fixtures: the platform with a Kafka that requires a password or a certificate."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from traffic_platform.settings import Settings
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.security.secured_kafka import SecuredKafka

_TRAFFIC = (sys.executable, "-c", "from traffic_platform.cli import main; main()")


# Seconds. A refusal must not be retried like an outage, which takes two minutes. On a quiet machine
# it takes 4 to 5 s, which no test asserts.
SOON = 60


@dataclass(frozen=True)
class Ended:
    """Result of a command: exit code, output, and duration with its start (seconds)."""

    code: int
    out: str
    err: str
    seconds: float

    def expect_refusal(self, *words: str) -> None:
        """Assert exit code 1 within SOON, and after progress a single line that holds the words."""
        assert self.code == 1, self
        assert self.seconds < SOON, self
        # Lines of progress of `up` are indented. A service may serve before another one is refused.
        lines = [line for line in self.err.splitlines() if not line.startswith("  ")]
        assert len(lines) == 1, self.err
        for word in words:
            assert word in lines[0]


Traffic = Callable[..., Ended]


@pytest.fixture(scope="session")
def secured_process(
    server_folder: Path, server_ports: Ports
) -> Iterator[tuple[SecuredKafka, Standalone]]:
    """The secured broker and its process, which tests stop and start again."""
    folder = server_folder / "secured"
    secured = SecuredKafka.make(folder, server_ports)
    process = Standalone(secured.service, folder / "logs")
    process.start()
    try:
        yield secured, process
    finally:
        process.stop()


@pytest.fixture
def secured(secured_process: tuple[SecuredKafka, Standalone]) -> Iterator[SecuredKafka]:
    """The secured broker. The ACLs that a test adds are removed after it."""
    yield secured_process[0]
    secured_process[0].forbid()


@pytest.fixture
def environment(
    postgres: PostgresServer, secured: SecuredKafka, database: str, tmp_path: Path
) -> dict[str, str]:
    """The test's own settings as environment variables, for SASL_SSL and SCRAM-SHA-512."""
    name = f"t{uuid.uuid4().hex[:12]}"
    return {
        **secured.environment(),
        "TRAFFIC_HOME": str(tmp_path / "home"),
        "TRAFFIC_DATABASE_URL": postgres.service.url("traffic_owner", database),
        "TRAFFIC_INGEST_DATABASE_URL": postgres.service.url("traffic_ingest", database),
        "TRAFFIC_READ_DATABASE_URL": postgres.service.url("traffic_read", database),
        "TRAFFIC_DAGSTER_DATABASE_URL": postgres.service.url("dagster", "dagster"),
        "TRAFFIC_RAW_TOPIC": f"{name}-raw",
        "TRAFFIC_EVENTS_TOPIC": f"{name}-events",
        "TRAFFIC_CONSUMER_GROUP": f"{name}-group",
    }


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same settings in this process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)  # pyright: ignore[reportCallIssue]


@pytest.fixture
def admin(secured: SecuredKafka) -> AdminClient:
    """An admin client with all rights."""
    return secured.admin()


@pytest.fixture
def producer(secured: SecuredKafka) -> Iterator[Producer]:
    """A producer with all rights."""
    servers = {"bootstrap.servers": secured.service.bootstrap_servers}
    client = Producer({**servers, **secured.service.client, "linger.ms": 5})
    yield client
    client.flush(30)


@pytest.fixture
def traffic(environment: dict[str, str], tmp_path: Path) -> Traffic:
    """traffic("ingest", "--once", TRAFFIC_…=…): run the command in its own process.

    A variable set to None is removed.
    """

    def run(*arguments: object, **changed: str | None) -> Ended:
        wanted = {**os.environ, **environment, **changed}
        started = time.monotonic()
        done = subprocess.run(
            [*_TRAFFIC, *map(str, arguments)],
            env={name: value for name, value in wanted.items() if value is not None},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - started)

    return run
