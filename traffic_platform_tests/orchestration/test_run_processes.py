"""Identities that tell a process that is gone from a quiet one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from traffic_platform.orchestration.instance.run_processes import identity, is_gone, pid_here


def sleeper() -> subprocess.Popen[bytes]:
    """A process that lives until it is killed."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_living_process_is_not_gone() -> None:
    assert pid_here(identity(os.getpid())) == os.getpid()
    assert not is_gone(identity(os.getpid()))


def test_a_killed_process_is_gone_before_its_parent_has_noticed() -> None:
    process = sleeper()
    worker = identity(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert is_gone(worker)
    process.wait()
    assert is_gone(worker)


def test_a_stopped_process_is_not_gone() -> None:
    process = sleeper()
    try:
        psutil.Process(process.pid).suspend()
        assert not is_gone(identity(process.pid))
    finally:
        process.kill()
        process.wait()


def test_another_process_with_the_same_pid_is_not_mistaken_for_it() -> None:
    host, pid, _ = identity(os.getpid()).split("/")
    assert is_gone(f"{host}/{pid}/1.00")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil is asked")
def test_an_identity_holds_the_boot_and_the_kernels_ticks_and_no_clock_time() -> None:
    host, pid, started = identity(os.getpid()).split("/")
    boot, _, ticks = started.rpartition(".")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert ticks in Path("/proc/self/stat").read_text().split()
    assert is_gone(f"{host}/{pid}/{boot}.{int(ticks) + 1}")
    assert is_gone(f"{host}/{pid}/other-boot.{ticks}")


def test_a_process_on_another_host_is_not_reported_gone() -> None:
    worker = f"not-{socket.gethostname()}/{os.getpid()}/1.00"
    assert not is_gone(worker)
    assert pid_here(worker) is None


def test_a_run_without_a_worker_is_not_reported_gone() -> None:
    assert not is_gone(None)
