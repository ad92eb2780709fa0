"""Identities of run processes, which tell a run whose process is gone from a quiet one.

Dagster's code server notices the death of the processes that it started. If all die together (a
power cut, `kill -9` of everything), their runs look started until their time limit. So the launcher
stores the identity of each process in a tag of its run.
"""

from __future__ import annotations

import socket

from traffic_platform.process_times import start_mark

WORKER_TAG = "traffic/worker"

_NO_START = "0"  # no process has it


def identity(pid: int) -> str:
    """Return the identity of a process: host, pid, and start, which tells a reused pid apart."""
    return f"{socket.gethostname()}/{pid}/{start_mark(pid) or _NO_START}"


def host_of(worker: str) -> str:
    """Return the name of the host that the process runs or ran on."""
    return worker.partition("/")[0]


def is_gone(worker: str | None) -> bool:
    """Return True if the process has ended; False also for another host or an unknown worker."""
    return worker is not None and _is_here(worker) and pid_here(worker) is None


def pid_here(worker: str) -> int | None:
    """Return the pid of the process if it is alive on this host, else None."""
    if not _is_here(worker):
        return None
    _, pid, started = worker.split("/")
    return int(pid) if start_mark(int(pid)) == started else None


def _is_here(worker: str) -> bool:
    return host_of(worker) == socket.gethostname()
