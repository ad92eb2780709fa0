"""A stack for one benchmark, which `traffic up` starts in an empty TRAFFIC_HOME."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from traffic_platform.ledger.partition_locks import read_holders
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.settings import Endpoints, Settings

_TRAFFIC = (sys.executable, "-c", "from traffic_platform.cli import main; main()")
# Other ports than the defaults, which a running stack may use.
_PORTS = {"POSTGRES": 35432, "KAFKA": 39092, "DAGSTER": 33000}


@dataclass(frozen=True)
class Stack:
    """A running stack; `up_seconds` is the duration of `traffic up` in an empty home."""

    settings: Settings
    folder: Path
    up_seconds: float

    @property
    def endpoints(self) -> Endpoints:
        """Addresses of its services."""
        return self.settings.endpoints()

    def reader(self) -> psycopg.Connection[Any]:
        """Return a connection with the reading role, in autocommit."""
        return psycopg.connect(self.endpoints.read_url, autocommit=True)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a `traffic` command for this stack, with its output in a pipe."""
        return subprocess.Popen(
            [*_TRAFFIC, *arguments],
            cwd=self.folder,
            env=_environment(self.settings.home),
            stdout=subprocess.PIPE,
        )

    def lag(self) -> int:
        """Return the number of messages in Kafka that are not stored yet."""
        reader = LagReader(self.settings)
        try:
            return sum(part.lag for part in reader.read(self.settings.ingest_topics))
        finally:
            reader.close()

    def is_idle(self) -> bool:
        """Return True when no ingest run holds a partition."""
        with self.reader() as connection:
            return not read_holders(connection, self.settings.ingest_topics)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition; raise TimeoutError, with `what` in its message, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


@contextmanager
def running_stack() -> Generator[Stack]:
    """Run `traffic up` in a new folder under .traffic, and `traffic down` at the end."""
    Path(".traffic").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=".traffic")).resolve()
    home = folder / "home"
    environment = _environment(home)
    try:
        started = time.monotonic()
        _traffic(["up", "--detach"], folder, environment)
        up_seconds = time.monotonic() - started
        yield Stack(
            Settings(_env_file=None, home=home),  # pyright: ignore[reportCallIssue]
            folder,
            up_seconds,
        )
    finally:
        _traffic(["down"], folder, environment)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    # The benchmark measures the defaults, so the caller's settings stay out.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TRAFFIC_")}
    ports = {f"TRAFFIC_{name}_PORT": str(port) for name, port in _PORTS.items()}
    root = str(Path(__file__).parents[1])
    return {**inherited, **ports, "TRAFFIC_HOME": str(home), "PYTHONPATH": root}


def _traffic(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(
        [*_TRAFFIC, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
