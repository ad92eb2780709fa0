"""Start and end of the stack from outside, for `traffic up` and `traffic down`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.layout import wanted_parts
from traffic_platform.stack.processes import ProcessId, last_line, members
from traffic_platform.stack.state import StackFolders, StackState, SupervisorLock, load_state
from traffic_platform.stack.supervisor import ALREADY_RUNNING, end_leftovers

_ASK_AGAIN_SECONDS = 0.1
# Longer than the supervisor gives its services to end.
_END_SECONDS = 75.0

Report = Callable[[StackState], None]


def folders_of(settings: Settings) -> StackFolders:
    """Return the folders of the stack with these settings."""
    return StackFolders(settings.home.resolve())


def living_state(folders: StackFolders) -> StackState | None:
    """Return the state of the running stack, None when no stack runs."""
    state = load_state(folders.state_file)
    return state if state and state.supervisor_lives() else None


class Start:
    """The start of a stack, by this call or by an earlier one."""

    def __init__(
        self, settings: Settings, *, with_dagster: bool, attached: bool, report: Report
    ) -> None:
        """Start the supervisor. `report` gets each new state during `wait`."""
        folders = folders_of(settings)
        folders.make()
        self._folders = folders
        self._wanted = wanted_parts(settings, with_dagster)
        self._report = report
        self._reported: StackState | None = None
        self._ours = True
        self._process = _start_supervisor(folders, with_dagster, attached)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The supervisor, None when the stack ran already."""
        return self._process if self._ours else None

    def wait(self, names: Sequence[str] = ()) -> StackState:
        """Wait until the named services serve. Without names, wait for the whole stack.

        Raises StackError when a service cannot start (then nothing stays running), and when the
        stack that ran already has other parts than requested.
        """
        while True:
            state = self._read_state()
            if state is not None and state.supervisor_lives():
                self._compare(state)
                settled = all(
                    name in state.services and state.services[name].state in ("running", "done")
                    for name in names
                )
                if state.phase == "ready" or (names and settled):
                    return state
            time.sleep(_ASK_AGAIN_SECONDS)

    def cancel(self) -> None:
        """End the stack, if this call has started it."""
        if self._ours:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            self._process.wait()

    def _compare(self, state: StackState) -> None:
        surplus = [name for name in state.parts if name not in self._wanted]
        missing = [name for name in self._wanted if name not in state.parts]
        kinds = {"with": surplus, "without": missing}
        differs = [f"{how} {' and '.join(names)}" for how, names in kinds.items() if names]
        if differs:
            raise StackError(
                f"The stack in {self._folders.home} runs {', '.join(differs)}, unlike the requested"
                " one. End it with `traffic down`, then start it again."
            )

    def _read_state(self) -> StackState | None:
        """Return the newest state of our supervisor, or of the one that ran already."""
        code = self._process.poll()
        state = load_state(self._folders.state_file)
        if self._ours and code == ALREADY_RUNNING:
            self._ours = False
        elif self._ours and code is not None:
            failed = state is not None and state.pid == self._process.pid and state.error
            raise StackError(failed or last_line(self._folders.logs / "supervisor.log"))
        if not self._ours and not _is_held(self._folders):
            raise StackError(
                f"The stack in {self._folders.home} ended before it was ready;"
                f" see {self._folders.logs}"
            )
        if state is None or (self._ours and state.pid != self._process.pid):
            return None
        if state != self._reported:
            self._reported = state
            self._report(state)
        return state


def wait_for_end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a stack in the foreground and return its exit code. An interruption ends it."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        return process.wait()


def stop(folders: StackFolders) -> bool:
    """End the stack and leftovers of an earlier one. Return False when nothing ran.

    Raises StackError when a process cannot be ended.
    """
    if not folders.run.is_dir():
        return False
    state = living_state(folders)
    supervisor = ProcessId(state.pid, state.started).process() if state else None
    if supervisor is not None:
        supervisor.terminate()
        try:
            supervisor.wait(timeout=_END_SECONDS)
        except psutil.TimeoutExpired:
            supervisor.kill()
    left = members(folders.stack)
    former = load_state(folders.state_file)
    end_leftovers(folders, former.parts if former else ())
    if still := members(folders.stack):
        raise StackError(
            f"{still[0].name()} (pid {still[0].pid}) of {folders.home} does not end. Kill it."
        )
    for file in (folders.state_file, folders.run / "endpoints.json"):
        file.unlink(missing_ok=True)
    return supervisor is not None or bool(left)


def request_feed(state: StackState) -> None:
    """Tell the supervisor to start the synthetic feed, unless it runs already."""
    os.kill(state.pid, signal.SIGUSR1)


def _start_supervisor(
    folders: StackFolders, with_dagster: bool, attached: bool
) -> subprocess.Popen[bytes]:
    options = [
        *([] if with_dagster else ["--no-dagster"]),
        *(["--attached", str(os.getpid())] if attached else []),
    ]
    with (folders.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "traffic_platform.stack.supervisor", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # the command gets ctrl-C and passes it on
        )


def _is_held(folders: StackFolders) -> bool:
    lock = SupervisorLock(folders)
    try:
        return not lock.take()
    finally:
        lock.release()
