"""State of the stack in one file, which the supervisor replaces as a whole."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from traffic_platform.atomic_file import replace_file
from traffic_platform.stack.processes import ProcessId

Phase = Literal["starting", "ready", "failed", "stopping"]


@dataclass(frozen=True)
class StackFolders:
    """Folders of the stack of one TRAFFIC_HOME. `home` is absolute."""

    home: Path

    @property
    def stack(self) -> str:
        """Name of the stack in the environment of its processes."""
        return str(self.home)

    @property
    def run(self) -> Path:
        """Folder with the state of the running stack."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """Folder with a log file for each service."""
        return self.home / "logs"

    @property
    def state_file(self) -> Path:
        """File with the StackState."""
        return self.run / "state.json"

    def make(self) -> None:
        """Create the folders. Only their owner may read them."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.run, self.logs):
            folder.mkdir(exist_ok=True)


@dataclass
class ServiceState:
    """State of one service. `since`: start of this state, seconds since 1970."""

    state: str
    pid: int | None
    restarts: int
    since: float
    log: str


@dataclass
class StackState:
    """State of the whole stack. It is valid while the supervisor with this pid and start lives.

    `parts`: the parts that the stack starts itself (see `wanted_parts` in layout.py).
    """

    phase: Phase
    pid: int
    started: str
    parts: list[str] = field(default_factory=list[str])
    error: str | None = None
    dagster_url: str | None = None
    api_url: str | None = None
    services: dict[str, ServiceState] = field(default_factory=dict[str, ServiceState])

    def save(self, file: Path) -> None:
        """Replace `file`. Raises OSError."""
        replace_file(file, json.dumps(asdict(self), indent=2))

    def supervisor_lives(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return ProcessId(self.pid, self.started).process() is not None


def load_state(file: Path) -> StackState | None:
    """Return the last state in `file`, None when there is none."""
    try:
        values = json.loads(file.read_text())
        services = {name: ServiceState(**value) for name, value in values.pop("services").items()}
        return StackState(**values, services=services)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


class SupervisorLock:
    """Lock of a TRAFFIC_HOME. Its one supervisor holds it until it ends."""

    def __init__(self, folders: StackFolders) -> None:
        self._file = folders.run / "lock"
        self._descriptor = self._open()

    def take(self) -> bool:
        """Take the lock. Return False when another process has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_again(self) -> None:
        """Lock a new file after the lock file was deleted."""
        former, self._descriptor = self._descriptor, self._open()
        os.close(former)
        self.take()

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
