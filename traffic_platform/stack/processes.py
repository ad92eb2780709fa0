"""Processes of a stack: identity, start, and end of whole process trees."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from traffic_platform.process_times import start_mark
from traffic_platform.stack.errors import StackError

# Every process of a stack has this variable, so that leftovers can be found.
STACK_VARIABLE = "TRAFFIC_STACK"

# Opener of our own URLs. A proxy in the environment is for other machines.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_THIS_MACHINE = ("127.0.0.1", "localhost")
# Each variable that lists hosts without a proxy, and its fallback.
_NO_PROXY = (("no_proxy", "NO_PROXY"), ("NO_PROXY", "no_proxy"), ("no_grpc_proxy", "no_proxy"))
_SHIM = Path(__file__).with_name("shim.py")
_CAPABILITIES_NEEDED = {0: "CHOWN", 1: "DAC_OVERRIDE", 6: "SETGID", 7: "SETUID"}


@dataclass(frozen=True)
class ProcessId:
    """Identity of a process: its pid, which other processes get later, and its start mark."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """Return the identity of the process that has `pid` now, None when there is none."""
        started = start_mark(pid)
        return cls(pid, started) if started else None

    def process(self) -> psutil.Process | None:
        """Return the living process, None when it has ended. A zombie has ended."""
        try:
            return psutil.Process(self.pid) if start_mark(self.pid) == self.started else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class Account:
    """User of a service that must not run as root. `namespace`: see shim.py."""

    uid: int
    gid: int
    namespace: bool

    def own(self, folder: Path) -> None:
        """Give `folder` and its content to the account, as other processes see it."""
        uid = os.getuid() if self.namespace else self.uid
        gid = os.getgid() if self.namespace else self.gid
        if folder.stat().st_uid == uid:
            return
        for root, _, files in os.walk(folder):
            for path in (root, *(os.path.join(root, name) for name in files)):
                os.chown(path, uid, gid, follow_symlinks=False)


@dataclass(frozen=True)
class Command:
    """A program with its arguments, environment, account and stop signal.

    A variable that is None in `env` is removed from the environment.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def python_server(cwd: Path, env: Mapping[str, str], *arguments: str) -> Command:
    """Return the command of a Python module with many threads, of which glibc keeps two arenas."""
    server = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
    return Command((sys.executable, "-m", *arguments), cwd, {**env, **server})


def unprivileged_account() -> Account | None:
    """Return the account for a service that refuses to run as root, None when we are not root.

    Root of an ordinary machine or container changes its user. Root without that right (dropped
    capabilities, a user namespace with one user) uses a user namespace.
    Raises StackError when the machine has no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, namespace=not _may_become(entry.pw_uid))
    raise StackError(
        "PostgreSQL refuses to run as root, and the users 'postgres' and 'nobody' are missing."
        " Create one of them, or run as another user."
    )


def _may_become(uid: int) -> bool:
    if sys.platform != "linux":
        return True
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    capable = all(effective >> number & 1 for number in _CAPABILITIES_NEEDED)
    ranges = [
        [int(part) for part in line.split()]
        for line in Path("/proc/self/uid_map").read_text().splitlines()
    ]
    return capable and any(first <= uid < first + count for first, _, count in ranges)


def spawn(command: Command, log: Path, stack: str) -> subprocess.Popen[bytes]:
    """Start `command` and append its output to `log`. It dies with the calling thread.

    `stack` is the name of the stack in the environment of the process and its descendants.
    Raises StackError when the program cannot be started.
    """
    account = command.account
    options = {
        "parent": os.getpid(),
        "death_signal": int(command.stop_signal),
        "uid": account and account.uid,
        "gid": account and account.gid,
        "namespace": bool(account and account.namespace),
    }
    variables = {**without_local_proxy(os.environ), **command.env, STACK_VARIABLE: stack}
    log.parent.mkdir(parents=True, exist_ok=True)
    # O_APPEND, because the supervisor may truncate the file while the service writes.
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SHIM), json.dumps(options), *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=command.cwd,
            env={name: value for name, value in variables.items() if value is not None},
            start_new_session=True,
        )
    except OSError as error:
        raise StackError(f"{command.argv[0]} cannot be started: {error}") from error
    finally:
        os.close(output)


def without_local_proxy(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with this machine among the hosts without a proxy.

    The services use HTTP and gRPC among themselves, which take proxies from the environment.
    """
    changed = dict(variables)
    for name, other in _NO_PROXY:
        hosts = variables.get(name) or variables.get(other) or ""
        # "*" alone means all hosts, except for gRPC, which has its own variable.
        everywhere = hosts == "*" and name != "no_grpc_proxy"
        ours = () if everywhere else _THIS_MACHINE
        changed[name] = ",".join([*filter(None, [hosts]), *ours])
    return changed


def members(stack: str) -> list[psutil.Process]:
    """Return every living process of the stack, wherever it is in the process tree."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if (
                process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(STACK_VARIABLE) == stack
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue  # another user's process, or one that has just ended
    return found


def wait_or_kill(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Wait up to `seconds` for the processes to end, then kill the others."""
    _, alive = psutil.wait_procs(list(processes), timeout=seconds)
    for process in alive:
        send_signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def send_signal(process: psutil.Process, number: int) -> None:
    """Send a signal, unless the process has ended."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def run_to_end(command: Command, log: Path, stack: str, seconds: float) -> None:
    """Run `command` until it ends. Raises StackError when it fails or takes too long."""
    process = spawn(command, log, stack)
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{command.argv[0]} did not end in {seconds:.0f} s; see {log}") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if code != 0:
        raise StackError(f"{last_line(log)}; see {log}")


def last_line(log: Path) -> str:
    """Return the last line of a log. A process that fails writes its error there."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 4096))
        lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no message"
