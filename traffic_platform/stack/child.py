"""One supervised service: preparation, start, readiness and restarts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from traffic_platform.stack.errors import StackError
from traffic_platform.stack.processes import Command, last_line, spawn
from traffic_platform.stack.service import Preparation, Service, Task
from traffic_platform.stack.state import ServiceState

State = Literal["waiting", "preparing", "starting", "running", "done", "restarting", "failed"]

START_SECONDS = 300.0
# A service that is late because it recovers gets this much more time.
_RECOVERY_SECONDS = 10.0
_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0
# A restart is tried at once when the disk has this much more room than at the failure.
ROOM_BYTES = 64 * 1024 * 1024


@dataclass
class Child:
    """A service or task, and the names of those that it needs. `advance` never waits."""

    service: Service | Task
    needs: tuple[str, ...]
    logs: Path
    stack: str
    state: State = "waiting"
    error: str | None = None
    restarts: int = 0
    was_ready: bool = False
    process: subprocess.Popen[bytes] | None = None
    since: float = field(default_factory=time.time)
    _preparations: list[Preparation] = field(default_factory=list[Preparation])
    _deadline: float = 0.0
    _backoff: float = _FIRST_BACKOFF_SECONDS
    _restart_at: float = 0.0
    _free_bytes: int = 0
    _was_held: bool = False

    @property
    def name(self) -> str:
        """Name of the service."""
        return self.service.name

    @property
    def log(self) -> Path:
        """Log file of the service."""
        return self.logs / f"{self.name}.log"

    @property
    def settled(self) -> bool:
        """Whether the services that need this one may start."""
        return self.state in ("running", "done")

    def view(self) -> ServiceState:
        """Return the state for the stack's state file."""
        pid = self.process.pid if self.process else None
        return ServiceState(self.state, pid, self.restarts, self.since, str(self.log))

    def advance(self, ended: bool, needs_serve: bool = True) -> None:
        """Take the next step, if it is due. `ended`: the process has ended since the last call.

        `needs_serve`: the services that this one needs serve now.
        """
        try:
            if self.state == "waiting" and needs_serve:
                self._preparations = list(self.service.preparations())
                self._next_step()
            elif self.state == "preparing":
                self._watch_preparation(ended)
            elif self.state in ("starting", "running") and ended:
                self._ended()
            elif self.state == "starting":
                self._ask()
            elif self.state == "restarting" and self._may_restart(needs_serve):
                self._start()
        except (StackError, OSError) as error:
            self._fail(str(error))

    def _next_step(self) -> None:
        if self._preparations:
            preparation = self._preparations[0]
            self._spawn(preparation.command, preparation.seconds)
            self._enter("preparing")
        elif isinstance(self.service, Task):
            self._enter("done")
        else:
            self._start()

    def _start(self) -> None:
        assert not isinstance(self.service, Task)
        self._spawn(self.service.command(), START_SECONDS)
        self._enter("starting")

    def _spawn(self, command: Command, seconds: float) -> None:
        self.process = spawn(command, self.log, self.stack)
        self._deadline = time.monotonic() + seconds

    def _watch_preparation(self, ended: bool) -> None:
        assert self.process is not None
        preparation = self._preparations[0]
        if ended and self.process.returncode == 0:
            self.process = None
            del self._preparations[0]
            preparation.finish()
            self._next_step()
        elif ended:
            self._fail(f"{self.name}: {last_line(self.log)}; see {self.log}")
        elif time.monotonic() > self._deadline:
            self._fail(
                f"{self.name}: {preparation.name} took longer than {preparation.seconds:.0f} s;"
                f" see {self.log}"
            )

    def _ask(self) -> None:
        assert not isinstance(self.service, Task)
        if self.service.ready():
            self.was_ready = True
            self._enter("running")
        elif time.monotonic() > self._deadline:
            if self.service.recovering():
                self._deadline = time.monotonic() + _RECOVERY_SECONDS
            elif not self.was_ready:
                self._fail(
                    f"{self.name} did not serve within {START_SECONDS:.0f} s; see {self.log}"
                )
            else:
                self._kill()

    def _ended(self) -> None:
        assert self.process is not None
        code = self.process.returncode
        self.process = None
        if not self.was_ready:
            self._fail(
                f"{self.name} could not start: it ended with code {code}: {last_line(self.log)};"
                f" see {self.log}"
            )
            return
        if self.state == "running":
            self._backoff = _FIRST_BACKOFF_SECONDS
        self.restarts += 1
        self._restart_later()

    def _fail(self, error: str) -> None:
        """Fail the stack when this is the first start. Later, restart the service."""
        self._kill()
        self.error = error
        if self.was_ready:
            self._restart_later()
        else:
            self._enter("failed")

    def _may_restart(self, needs_serve: bool) -> bool:
        """Return whether to try now: after the pause, or when a cause of the failure has gone."""
        if not needs_serve:
            self._was_held = True
            return False
        gone = self._was_held or self._read_free_bytes() >= self._free_bytes + ROOM_BYTES
        if gone:
            self._was_held = False
            self._backoff = _FIRST_BACKOFF_SECONDS
        return gone or time.monotonic() >= self._restart_at

    def _read_free_bytes(self) -> int:
        with contextlib.suppress(OSError):  # the folder may have been deleted
            return shutil.disk_usage(self.logs.parent).free
        return 0

    def _restart_later(self) -> None:
        self._free_bytes = self._read_free_bytes()
        self._restart_at = time.monotonic() + self._backoff
        self._backoff = min(2 * self._backoff, _LONGEST_BACKOFF_SECONDS)
        self._enter("restarting")

    def _kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, 9)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since = time.time()
