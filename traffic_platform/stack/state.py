"""What the supervisor tells others about the stack, in one file that is replaced as a whole."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from traffic_platform.stack.processes import ProcessId

Phase = Literal["starting", "ready", "failed", "stopping"]


@dataclass(frozen=True)
class StackFolders:
    """Where the stack of one TRAFFIC_HOME keeps things. `home` is absolute."""

    home: Path

    @property
    def stack(self) -> str:
        """The stack's name in the environment of its processes."""
        return str(self.home)

    @property
    def run(self) -> Path:
        """What describes the running stack."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """One file for each service."""
        return self.home / "logs"

    @property
    def state_file(self) -> Path:
        """See StackState."""
        return self.run / "state.json"

    def make(self) -> None:
        """Create the folders; the state of a stack is nobody else's business."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.run, self.logs):
            folder.mkdir(exist_ok=True)


@dataclass
class ServiceState:
    """One service. `since`: when it took this state, seconds since 1970."""

    state: str
    pid: int | None
    restarts: int
    since: float
    log: str


@dataclass
class StackState:
    """The whole stack. The supervisor's pid and start say whether this is still true.

    `parts`: what the stack starts itself, as it was asked to (see `wanted_parts` in layout.py).
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
        """Replace `file`."""
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=2))
        new.replace(file)

    def supervisor_lives(self) -> bool:
        """Whether the process that wrote this still runs."""
        return ProcessId(self.pid, self.started).process() is not None


def load_state(file: Path) -> StackState | None:
    """The last state that was written; None when there is none."""
    try:
        values = json.loads(file.read_text())
        services = {name: ServiceState(**value) for name, value in values.pop("services").items()}
        return StackState(**values, services=services)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


class SupervisorLock:
    """Held by the one supervisor of a TRAFFIC_HOME, for its whole life."""

    def __init__(self, folders: StackFolders) -> None:
        self._file = folders.run / "lock"
        self._descriptor = self._open()

    def take(self) -> bool:
        """Take the lock; False when another process has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_again(self) -> None:
        """Take the lock once more after its file was deleted: the next one would lock another."""
        former, self._descriptor = self._descriptor, self._open()
        os.close(former)
        self.take()

    def release(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
