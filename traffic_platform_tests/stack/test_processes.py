"""Processes: end with the parent, accounts, identity, proxies and logs."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from traffic_platform.stack import logs, supervisor
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.processes import (
    Account,
    Command,
    ProcessId,
    members,
    run_to_end,
    spawn,
    unprivileged_account,
)
from traffic_platform.stack.state import StackFolders

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.02)


def accounts() -> list[Account]:
    """Return the accounts with which this user can run a service that refuses to run as root."""
    account = unprivileged_account()
    if account is None:
        return []
    probe = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000) != 0)"
    namespaces = subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    ways = {account, dataclasses.replace(account, namespace=True)} if namespaces else {account}
    return sorted(ways, key=lambda way: way.namespace)


def test_only_root_needs_another_account() -> None:
    assert (unprivileged_account() is None) == (os.geteuid() != 0)


def test_such_an_account_is_not_root_and_reaches_folders_that_only_root_may_traverse(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    data.mkdir(mode=0o700)
    script = f"import os; assert os.geteuid() != 0; open({str(data / 'file')!r}, 'w').close()"
    for account in accounts():
        account.own(data)
        command = Command((sys.executable, "-c", script), data, account=account)
        run_to_end(command, tmp_path / "log", "test", 20)
        assert (data / "file").stat().st_uid == data.stat().st_uid
        (data / "file").unlink()


def test_a_service_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    parent = f"""
import time
from pathlib import Path
from traffic_platform.stack.processes import Command, spawn, unprivileged_account
folder = Path({str(tmp_path)!r})
for account in (None, unprivileged_account()):
    argv = {SLEEP!r}
    spawn(Command(argv, folder, account=account), folder / "log", {str(tmp_path)!r})
print("started", flush=True)
time.sleep(60)
"""
    started = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"started\n"
    wait_until(lambda: len(members(str(tmp_path))) == 2)
    started.kill()
    started.wait()
    wait_until(lambda: not members(str(tmp_path)))


def start_worker(folders: StackFolders, on_term: str) -> Path:
    """Start a process of the stack that does this when it is asked to end. Return its log."""
    script = f"""
import signal, sys, time
def end(*_):
    {on_term}
signal.signal(signal.SIGTERM, end)
print("started", flush=True)
while True:
    time.sleep(1)
"""
    log = folders.home / "worker.log"
    spawn(Command((sys.executable, "-c", script), folders.home), log, folders.stack)
    wait_until(lambda: "started" in log.read_text())
    return log


@pytest.mark.timeout(60)  # it would wait for hours
def test_leftovers_are_not_waited_for_when_their_database_died_with_the_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_WORKERS_SECONDS", 3600.0)
    monkeypatch.setattr(supervisor, "_SERVERS_SECONDS", 3600.0)
    start_worker(StackFolders(tmp_path), "pass")
    supervisor.end_leftovers(StackFolders(tmp_path), ["PostgreSQL"])
    assert members(str(tmp_path)) == []


def test_leftovers_finish_their_batch_in_a_database_of_your_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_ORPHANED_SECONDS", 0.0)
    log = start_worker(StackFolders(tmp_path), "time.sleep(1); print('finished'); sys.exit()")
    supervisor.end_leftovers(StackFolders(tmp_path), ["Kafka"])
    assert members(str(tmp_path)) == []
    assert "finished" in log.read_text()


def test_a_service_obeys_signals_that_its_parent_ignores(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = spawn(Command(SLEEP, tmp_path), tmp_path / "log", "test")
    finally:
        signal.signal(signal.SIGINT, before)
    wait_until(lambda: len(psutil.Process(process.pid).cmdline()) == len(SLEEP))
    process.send_signal(signal.SIGINT)
    assert process.wait(10) != 0


def test_a_process_that_got_a_former_pid_is_not_the_former_process() -> None:
    mine = ProcessId.of(os.getpid())
    assert mine is not None
    assert mine.process() is not None
    assert ProcessId(mine.pid, mine.started + "0").process() is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a,b"}, "a,b,127.0.0.1,localhost"),
        ({"no_proxy": "a"}, "a,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_a_service_uses_no_proxy_for_this_machine(
    before: dict[str, str], after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    script = "import os; print(*(os.environ[n] for n in ('no_proxy', 'NO_PROXY', 'no_grpc_proxy')))"
    run_to_end(Command((sys.executable, "-c", script), tmp_path), tmp_path / "log", "test", 20)
    lower, upper, grpc = (tmp_path / "log").read_text().split()
    assert (lower, upper) == (after, after)
    assert grpc.endswith("127.0.0.1,localhost")


def test_a_failed_preparation_shows_the_programs_error_and_its_log(
    tmp_path: Path,
) -> None:
    command = Command((sys.executable, "-c", "import sys; sys.exit('no room')"), tmp_path)
    with pytest.raises(StackError, match=rf"no room; see {tmp_path / 'a.log'}"):
        run_to_end(command, tmp_path / "a.log", "test", 20)


def test_a_log_is_truncated_at_its_limit_while_the_service_writes(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    with log.open("ab", buffering=0) as service:
        service.write(b"a" * 600)
        logs.bound(tmp_path, limit=500)
        service.write(b"b")
    assert log.read_bytes() == b"b"
    assert (tmp_path / "service.log.1").read_bytes() == b"a" * 600
