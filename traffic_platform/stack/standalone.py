"""PostgreSQL and Kafka without a supervisor, for tests and benchmarks."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import Kafka
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform.stack.processes import run_to_end, spawn
from traffic_platform.stack.service import Service

_ASK_AGAIN_SECONDS = 0.05


class Standalone:
    """A service that this process starts and ends. It dies with this process."""

    def __init__(self, service: Service, logs: Path) -> None:
        self.service = service
        self.log = logs / f"{service.name}.log"
        self._stack = str(logs)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Pid of the running service. Raises StackError when it is not started."""
        if self._process is None:
            raise StackError(f"{self.service.name} is not started; see {self.log}")
        return self._process.pid

    def start(self, seconds: float = 120) -> None:
        """Prepare and start the service, and return when it serves.

        Raises StackError, after it has ended the process, when that takes longer than `seconds`.
        """
        for preparation in self.service.preparations():
            run_to_end(preparation.command, self.log, self._stack, preparation.seconds)
            preparation.finish()
        process = self._process = spawn(self.service.command(), self.log, self._stack)
        deadline = time.monotonic() + seconds
        while not self.service.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise StackError(f"{self.service.name} did not become ready; see {self.log}")
            time.sleep(_ASK_AGAIN_SECONDS)

    def stop(self, seconds: float = 30) -> None:
        """Stop the service, and kill it after `seconds`."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.service.command().stop_signal)
            try:
                self._process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill the service with SIGKILL, like a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None


def standalone_postgres(folder: Path, ports: Ports, first_port: int = 5432) -> Postgres:
    """Return a PostgreSQL in `folder`, on the first free port, not started yet."""
    port = ports.reserve("postgres", first_port)
    return Postgres(folder / "postgres", folder / "passwords.json", port)


def standalone_kafka(folder: Path, ports: Ports, first_port: int = 9092) -> Kafka:
    """Return a Kafka in `folder`, on the first free ports, not started yet."""
    port = ports.reserve("kafka", first_port)
    return Kafka(folder / "kafka", port, ports.reserve("kafka-controller", first_port))
