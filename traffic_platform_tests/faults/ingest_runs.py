"""Ingest runs as processes that a test can kill, pause and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_LIMITS = {"seconds": 120, "idle_seconds": 120, "outage_seconds": 60}


class RunProcess:
    """A process of an ingest run, or without topics of a publisher run. `log` holds its stderr."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        *,
        run_id: str,
        writer: int,
        writers: int,
        limits: Mapping[str, Any],
        topics: Sequence[str] | None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        wanted = {
            "topics": topics,
            "limits": {**_LIMITS, **limits},
            "run_id": run_id,
            "writer": writer,
            "writers": writers,
            "constants": constants or {},
        }
        self.log = log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "traffic_platform_tests.faults.drain", json.dumps(wanted)],
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    @property
    def running(self) -> bool:
        """True until the process has ended, also while it is paused."""
        return self.process.poll() is None

    @property
    def paused(self) -> bool:
        """True while SIGSTOP holds the process."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = 30) -> dict[str, Any]:
        """End it with SIGTERM, expect a clean end, and return its totals."""
        self.send(signal.SIGTERM)
        return self.result(seconds)

    def result(self, seconds: float = 60) -> dict[str, Any]:
        """Wait for a clean end, and return its totals."""
        code, output = self.ended(seconds)
        assert code == 0, f"exit {code}: {output}\n{self.log.read_text()}"
        return output

    def ended(self, seconds: float = 60) -> tuple[int, dict[str, Any]]:
        """Wait for any end, and return the exit code (negative: the signal) and the output."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGUSR1)
            self.send(signal.SIGCONT)
            wait_until(lambda: "most recent call first" in self.log.read_text(), "its stack", 10)
            raise AssertionError(f"no end within {seconds} s\n{self.log.read_text()}") from None
        return self.process.returncode, json.loads(out) if out else {}

    def kill(self) -> None:
        """End it with SIGKILL if it still runs, paused or not."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition; fail with `what` in the message after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
