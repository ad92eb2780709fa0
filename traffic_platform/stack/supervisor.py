"""The supervisor: it starts the services in order, watches them, and ends the whole process tree.

    python -m traffic_platform.stack.supervisor [--no-dagster] [--attached PID]

One thread handles all services and never waits for one. It checks each in turn, asks starting ones
whether they serve, and sleeps until a child ends or a short time has passed. Only this thread
starts processes, because they die with the thread that started them. SIGTERM and SIGINT end the
stack; SIGUSR1 adds the synthetic feed. Errors with the supervisor's own files (a full disk, a
deleted folder) are logged and retried: the services do not need these files.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import psutil

from traffic_platform.settings import Settings, SettingsError, load_settings
from traffic_platform.stack import logs
from traffic_platform.stack.child import Child
from traffic_platform.stack.dagster import is_stateless
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import is_kafka
from traffic_platform.stack.layout import Layout, wanted_parts
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.processes import ProcessId, members, send_signal, wait_or_kill
from traffic_platform.stack.state import Phase, StackFolders, StackState, SupervisorLock, load_state

ALREADY_RUNNING = 3

_SET_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_BUSY_SECONDS, _QUIET_SECONDS = 0.2, 1.0
_LOGS_EVERY_SECONDS = 5.0
# Time that each may take to end. Ingest runs finish their batch.
_STATELESS_SECONDS = 4.0
_WORKERS_SECONDS = 20.0
_SERVERS_SECONDS = 30.0
# The same for clients whose database has ended.
_ORPHANED_SECONDS = 1.0


class Supervisor:
    """The running stack: its settings, services and state."""

    def __init__(
        self,
        settings: Settings,
        folders: StackFolders,
        lock: SupervisorLock,
        state: StackState,
        with_dagster: bool,
    ) -> None:
        self._settings = settings
        self._folders = folders
        self._lock = lock
        self._first_state = state
        self._ports = Ports(folders.run / "ports.json")
        self._layout = Layout.plan(settings, folders, self._ports, with_dagster)
        self._children = {
            service.name: Child(service, needs, folders.logs, folders.stack)
            for service, needs in self._layout.services()
        }
        self._phase: Phase = "starting"
        self._error: str | None = None
        self._saved_state: StackState | None = None
        self._stop = False
        self._feed_wanted = False
        self._logs_bounded_at = 0.0
        self._reported_errors: set[str] = set()
        self._wake_up, self._woken = os.pipe()

    def run(self) -> int:
        """Start the stack, keep it running, and end it. Return the exit code."""
        self._listen()
        self._write_files()
        try:
            while not self._stop and self._error is None:
                self._tick()
                self._sleep()
            self._show("stopping" if self._error is None else "failed")
        finally:
            self._end()
        self._attempt(self._forget)
        return 0 if self._error is None else 1

    def _tick(self) -> None:
        self._attempt(self._keep_files)
        ended = self._reap()
        if self._feed_wanted and "feed" not in self._children:
            feed = self._layout.feed()
            self._children["feed"] = Child(
                feed, ("topics",), self._folders.logs, self._folders.stack, was_ready=True
            )
        for child in self._children.values():
            child.advance(
                child.process is not None and child.process.pid in ended,
                needs_serve=all(map(self._serves, child.needs)),
            )
            if child.state == "failed":
                self._error = child.error
        everything = all(child.settled for child in self._children.values())
        self._show("ready" if everything or self._phase == "ready" else "starting")
        if time.monotonic() - self._logs_bounded_at > _LOGS_EVERY_SECONDS:
            self._logs_bounded_at = time.monotonic()
            self._attempt(lambda: logs.bound(self._folders.logs))

    def _serves(self, name: str) -> bool:
        """Return whether this service and all that it needs, directly or not, serve."""
        child = self._children[name]
        return child.settled and all(map(self._serves, child.needs))

    def _reap(self) -> set[int]:
        """Collect every ended process, also adopted ones. Return the pids of ended services."""
        own = {
            child.process.pid: child.process for child in self._children.values() if child.process
        }
        ended: set[int] = set()
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            if pid in own:
                own[pid].returncode = os.waitstatus_to_exitcode(status)
                ended.add(pid)

    def _listen(self) -> None:
        for number in (self._wake_up, self._woken):
            os.set_blocking(number, False)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, self._on_feed)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _on_stop(self, _number: int, _frame: object) -> None:
        self._stop = True

    def _on_feed(self, _number: int, _frame: object) -> None:
        self._feed_wanted = True

    def _sleep(self) -> None:
        quiet = all(child.settled for child in self._children.values())
        readable, _, _ = select.select(
            [self._wake_up], [], [], _QUIET_SECONDS if quiet else _BUSY_SECONDS
        )
        if readable:
            os.read(self._wake_up, 4096)

    def _show(self, phase: Phase) -> None:
        """Write the state file when the state has changed."""
        self._phase = phase
        state = replace(
            self._first_state,
            phase=phase,
            error=self._error,
            dagster_url=self._layout.dagster.url if self._layout.dagster else None,
            api_url=self._layout.api.url,
            services={name: child.view() for name, child in self._children.items()},
        )
        if state != self._saved_state and self._attempt(
            lambda: state.save(self._folders.state_file)
        ):
            self._saved_state = state

    def _write_files(self) -> None:
        self._ports.remember()
        self._layout.endpoints(self._settings).save(self._settings.endpoints_file)

    def _keep_files(self) -> None:
        """Restore deleted files. Commands find the stack by them."""
        if not self._folders.state_file.exists():
            self._folders.make()
            self._lock.take_again()
            self._write_files()
            self._saved_state = None

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Do work that no service depends on. Log an OSError once; return whether it succeeded."""
        try:
            work()
        except OSError as error:
            if str(error) not in self._reported_errors:
                self._reported_errors.add(str(error))
                with contextlib.suppress(OSError):
                    sys.stderr.write(f"{error}\n")
            return False
        return True

    def _end(self) -> None:
        """End the process tree: first the clients of the servers, then the servers."""
        servers = self._servers()
        spared = {os.getpid(), *(process.pid for process in servers)}
        for server in servers:
            with contextlib.suppress(psutil.NoSuchProcess):
                spared.update(process.pid for process in server.children(recursive=True))
        found = {process.pid: process for process in psutil.Process().children(recursive=True)}
        found.update({process.pid: process for process in members(self._folders.stack)})
        working = [process for pid, process in found.items() if pid not in spared]
        _end_processes(working, _WORKERS_SECONDS)
        _end_processes(servers, _SERVERS_SECONDS)
        _end_processes(psutil.Process().children(recursive=True), 1)

    def _servers(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for name in ("postgres", "kafka"):
            child = self._children.get(name)
            if child and child.process and child.state in ("starting", "running"):
                process = ProcessId.of(child.process.pid)
                living = process and process.process()
                found.extend([living] if living else [])
        return found

    def _forget(self) -> None:
        self._settings.endpoints_file.unlink(missing_ok=True)
        # An error stays in the file for the command that waits for this stack.
        if self._error is None:
            self._folders.state_file.unlink(missing_ok=True)


def end_leftovers(folders: StackFolders, parts: Sequence[str]) -> None:
    """End the processes that a killed supervisor has left behind.

    `parts`: what that stack started itself. A database among them ended with the supervisor, so
    that its clients cannot finish anything.
    """
    ancestors = {process.pid for process in psutil.Process().parents()} | {os.getpid()}
    left = [process for process in members(folders.stack) if process.pid not in ancestors]
    postgres = {process.pid for process in left if _is_postgres(process)}
    # PostgreSQL's children end with their parent. A signal to one of them would be a crash.
    roots = [
        process
        for process in left
        if process.pid not in postgres or _parent(process) not in postgres
    ]
    servers = [process for process in roots if _is_postgres(process) or is_kafka(process)]
    clients = [process for process in roots if process not in servers]
    _end_processes(clients, _ORPHANED_SECONDS if "PostgreSQL" in parts else _WORKERS_SECONDS)
    _end_processes(servers, _SERVERS_SECONDS)


def _end_processes(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Ask the processes to end, and kill those that still run after `seconds`."""
    for process in processes:
        # SIGINT is PostgreSQL's fast shutdown.
        send_signal(process, signal.SIGINT if _is_postgres(process) else signal.SIGTERM)
    wait_or_kill(filter(is_stateless, processes), min(seconds, _STATELESS_SECONDS))
    wait_or_kill(processes, seconds)


def _is_postgres(process: psutil.Process) -> bool:
    try:
        return process.name() == "postgres"
    except psutil.NoSuchProcess:
        return False


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def _become_supervisor(command: int | None) -> None:
    """Adopt orphaned descendants. With the pid of a `command` in a terminal, end with it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if command is not None:
            libc.prctl(_SET_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)
    # The command may have been killed before the signal was set.
    if command is not None and os.getppid() != command:
        sys.exit("`traffic up` ended before the stack started")


def _supervise(with_dagster: bool) -> int:
    settings = load_settings()
    folders = StackFolders(settings.home.resolve())
    settings = settings.model_copy(update={"home": folders.home})
    # Children read the settings again, in any folder.
    os.environ["TRAFFIC_HOME"] = str(folders.home)
    folders.make()
    lock = SupervisorLock(folders)
    if not lock.take():
        return ALREADY_RUNNING
    former = load_state(folders.state_file)
    me = ProcessId.of(os.getpid())
    state = StackState(
        phase="starting",
        pid=os.getpid(),
        started=me.started if me else "",
        parts=wanted_parts(settings, with_dagster),
    )
    # From here on `traffic down` finds this process, also while it ends leftovers.
    state.save(folders.state_file)
    end_leftovers(folders, former.parts if former else state.parts)
    return Supervisor(settings, folders, lock, state, with_dagster).run()


def main() -> None:
    """Run the supervisor until the stack has ended."""
    parser = argparse.ArgumentParser(description="Supervise the local stack of TRAFFIC_HOME.")
    parser.add_argument("--no-dagster", action="store_true")
    parser.add_argument("--attached", type=int, metavar="PID", help="end with this parent process")
    options = parser.parse_args()
    _become_supervisor(options.attached)
    try:
        sys.exit(_supervise(not options.no_dagster))
    except (StackError, SettingsError, OSError) as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
