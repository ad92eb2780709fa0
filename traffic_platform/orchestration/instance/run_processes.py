"""Which process works for a run, so that a run whose process is gone is told from a quiet one.

Dagster's code server notices the death of the processes that it started, and nothing notices it
when all die together (a power cut, `kill -9` of everything): such runs look started until their
time limit. So the launcher leaves the identity of a window's process in a tag of its run.
"""

from __future__ import annotations

import socket

from traffic_platform.process_times import start_mark

WORKER_TAG = "traffic/worker"

_NO_START = "0"  # no process has it


def identity(pid: int) -> str:
    """Identity of a process: host, pid and start, which tells a reused pid apart."""
    return f"{socket.gethostname()}/{pid}/{start_mark(pid) or _NO_START}"


def host_of(worker: str) -> str:
    """Name of the host that the process runs on, or ran."""
    return worker.partition("/")[0]


def is_gone(worker: str | None) -> bool:
    """Whether that process is known to have ended; False for one on another host, or unknown."""
    return worker is not None and _is_here(worker) and pid_here(worker) is None


def pid_here(worker: str) -> int | None:
    """Its pid while it is alive on this host, else None."""
    if not _is_here(worker):
        return None
    _, pid, started = worker.split("/")
    return int(pid) if start_mark(int(pid)) == started else None


def _is_here(worker: str) -> bool:
    return host_of(worker) == socket.gethostname()
