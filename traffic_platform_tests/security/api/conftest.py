"""Fixtures: a real server process on a real database, and API keys for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from psycopg import sql

from traffic_platform.api.security import key_store
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import TEMPLATE, PostgresServer

# Seconds; longer than anything takes unless it hangs.
SOON = 60


@dataclass
class Server:
    """A server process and its settings."""

    settings: Settings
    process: subprocess.Popen[str]
    port: int
    folder: Path
    log: Path
    made: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        """Return a client, with a key if given."""
        own = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(
            base_url=self.url, headers={**own, **headers}, trust_env=False, timeout=SOON
        )

    def key(self, *scopes: key_store.Scope) -> tuple[key_store.Key, str]:
        """Create a key, with the scope read by default."""
        name = f"test {uuid.uuid4().hex}"
        return key_store.create(self.settings, name, scopes or ("read",), None)

    def end(self) -> int:
        """Terminate the process; return its exit code."""
        self.process.terminate()
        return self.process.wait(SOON)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def serve(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """serve(host, TRAFFIC_API_…=…): start a server on the test module's own database."""
    database = f"test_{uuid.uuid4().hex[:12]}"
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, database, "traffic_owner", template=TEMPLATE)
    started: list[Server] = []

    def start(host: str, **variables: str) -> Server:
        folder = tmp_path_factory.mktemp("served")
        server = _start(postgres, database, folder, host, variables)
        started.append(server)
        opener = server.client()

        def answers() -> bool:
            assert server.process.poll() is None, server.log.read_text()
            try:
                return opener.get("/health/live").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers)
        return server

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()
    with postgres.superuser() as connection:
        drop = sql.SQL("drop database {} with (force)")
        connection.execute(drop.format(sql.Identifier(database)))


def _start(
    postgres: PostgresServer, database: str, folder: Path, host: str, variables: dict[str, str]
) -> Server:
    port = _free_port()
    urls = {
        "TRAFFIC_DATABASE_URL": postgres.service.url("traffic_owner", database),
        "TRAFFIC_READ_DATABASE_URL": postgres.service.url("traffic_read", database),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRAFFIC_")}
    own = {
        **urls,
        "TRAFFIC_HOME": str(folder / "home"),
        "TRAFFIC_API_HOST": host,
        "TRAFFIC_API_PORT": str(port),
        **variables,
    }
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "traffic_platform_tests.security.api.application", str(folder)],
            env={**clean, **own},
            cwd=Path(__file__).parents[3],
            stdout=output,
            stderr=output,
            text=True,
        )
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        database_url=urls["TRAFFIC_DATABASE_URL"],  # pyright: ignore[reportArgumentType]
    )
    return Server(settings, process, port, folder, log)
