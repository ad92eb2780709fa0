"""Starting and ending the stack from outside: what `traffic up` and `traffic down` do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.processes import ProcessId, last_line, members
from traffic_platform.stack.state import StackFolders, StackState, SupervisorLock, load_state
from traffic_platform.stack.supervisor import ALREADY_RUNNING, end_leftovers

_ASK_AGAIN_SECONDS = 0.1
# Longer than the supervisor itself gives its services.
_END_SECONDS = 75.0

Report = Callable[[StackState], None]


@dataclass(frozen=True)
class Running:
    """A stack that serves. `process` is the supervisor when this call has started it."""

    state: StackState
    process: subprocess.Popen[bytes] | None


def folders_of(settings: Settings) -> StackFolders:
    """The folders of the stack that these settings mean."""
    return StackFolders(settings.home.resolve())


def living_state(folders: StackFolders) -> StackState | None:
    """The state of the running stack; None when none runs."""
    state = load_state(folders.state_file)
    return state if state and state.supervisor_lives() else None


def start(folders: StackFolders, *, with_dagster: bool, attached: bool, report: Report) -> Running:
    """Start the stack, or wait for the one that is being started; return when it serves.

    `report` gets each new state. An interruption ends what this call has started.
    Raises StackError when a service cannot start; then nothing is left running.
    """
    folders.make()
    process = _start_supervisor(folders, with_dagster, attached)
    try:
        return Running(*_wait_until_ready(folders, process, report))
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        process.wait()
        raise


def wait_for_end(process: subprocess.Popen[bytes]) -> int:
    """Wait while the stack runs in the foreground; an interruption ends it. Its exit code."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        return process.wait()


def stop(folders: StackFolders) -> bool:
    """End the stack and whatever an earlier one has left. False when nothing ran.

    Raises StackError when a process cannot be ended.
    """
    if not folders.run.is_dir():
        return False
    state = living_state(folders)
    supervisor = ProcessId(state.pid, state.created).process() if state else None
    if supervisor is not None:
        supervisor.terminate()
        try:
            supervisor.wait(timeout=_END_SECONDS)
        except psutil.TimeoutExpired:
            supervisor.kill()
    left = members(folders.stack)
    end_leftovers(folders)
    still = members(folders.stack)
    if still:
        raise StackError(
            f"{still[0].name()} (pid {still[0].pid}) of {folders.home} cannot be ended: kill it."
        )
    for file in (folders.state_file, folders.run / "endpoints.json"):
        file.unlink(missing_ok=True)
    return supervisor is not None or bool(left)


def request_feed(state: StackState) -> None:
    """Ask the supervisor for the synthetic feed. Asking twice changes nothing."""
    os.kill(state.pid, signal.SIGUSR1)


def _start_supervisor(
    folders: StackFolders, with_dagster: bool, attached: bool
) -> subprocess.Popen[bytes]:
    options = [
        *([] if with_dagster else ["--no-dagster"]),
        *(["--attached"] if attached else []),
    ]
    with (folders.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "traffic_platform.stack.supervisor", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # ctrl-C is for the command, which passes it on
        )


def _wait_until_ready(
    folders: StackFolders, process: subprocess.Popen[bytes], report: Report
) -> tuple[StackState, subprocess.Popen[bytes] | None]:
    shown: StackState | None = None
    ours = True
    while True:
        code = process.poll()
        state = load_state(folders.state_file)
        if ours and code == ALREADY_RUNNING:
            ours = False
        elif ours and code is not None:
            failed = state is not None and state.pid == process.pid and state.error
            raise StackError(failed or last_line(folders.logs / "supervisor.log"))
        if not ours and not _is_held(folders):
            raise StackError(
                f"The stack in {folders.home} ended while it was waited for; see {folders.logs}"
            )
        if state and (not ours or state.pid == process.pid):
            if state != shown:
                shown = state
                report(state)
            if state.phase == "ready" and state.supervisor_lives():
                return state, process if ours else None
        time.sleep(_ASK_AGAIN_SECONDS)


def _is_held(folders: StackFolders) -> bool:
    lock = SupervisorLock(folders)
    try:
        return not lock.take()
    finally:
        lock.release()
