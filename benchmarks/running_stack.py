"""A stack of the benchmark's own, started by `traffic up` in a fresh TRAFFIC_HOME."""

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
_PORTS = {"POSTGRES": 35432, "KAFKA": 39092, "DAGSTER": 33000}  # away from a stack that is running


@dataclass(frozen=True)
class Stack:
    """A running stack; `up_seconds` is how long `traffic up` took in an empty home."""

    settings: Settings
    folder: Path
    up_seconds: float

    @property
    def endpoints(self) -> Endpoints:
        """Where its parts are."""
        return self.settings.endpoints()

    def reader(self) -> psycopg.Connection[Any]:
        """A connection of a reader, in autocommit."""
        return psycopg.connect(self.endpoints.read_url, autocommit=True)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a `traffic` command of this stack; its output can be read."""
        return subprocess.Popen(
            [*_TRAFFIC, *arguments],
            cwd=self.folder,
            env=_environment(self.settings.home),
            stdout=subprocess.PIPE,
        )

    def lag(self) -> int:
        """Messages in Kafka that are not stored yet."""
        reader = LagReader(self.settings)
        try:
            return sum(part.lag for part in reader.read(self.settings.ingest_topics))
        finally:
            reader.close()

    def is_idle(self) -> bool:
        """Whether no window holds a partition."""
        with self.reader() as connection:
            return not read_holders(connection, self.settings.ingest_topics)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask every tenth of a second. Raises TimeoutError, with `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


@contextmanager
def running_stack() -> Generator[Stack]:
    """`traffic up` in a folder of its own under .traffic; at the end `traffic down`."""
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
    # Without the caller's settings, and away from the caller's .env: the defaults are measured.
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
