"""Which process works for a run, so that a run whose process is gone is told from a quiet one.

Dagster's code server notices the death of the processes that it started, and nothing notices it
when all die together (a power cut, `kill -9` of everything): such runs look started until their
time limit. So the launcher leaves the identity of a window's process in a tag of its run.
"""

from __future__ import annotations

import socket

import psutil

WORKER_TAG = "traffic/worker"

_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def identity(pid: int) -> str:
    """Identity of a process: host, pid and start time, which tells a reused pid apart.

    For a process that has ended already the start time is 0, which no process has.
    """
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    return f"{socket.gethostname()}/{pid}/{started:.2f}"


def is_gone(worker: str | None) -> bool:
    """Whether that process is known to have ended; False for one on another host, or unknown."""
    return worker is not None and _is_here(worker) and pid_here(worker) is None


def pid_here(worker: str) -> int | None:
    """Its pid while it is alive on this host, else None."""
    if not _is_here(worker):
        return None
    _, pid, started = worker.split("/")
    try:
        process = psutil.Process(int(pid))
        same = f"{process.create_time():.2f}" == started
        return process.pid if same and process.status() not in _ENDED else None
    except psutil.NoSuchProcess:
        return None


def _is_here(worker: str) -> bool:
    return worker.partition("/")[0] == socket.gethostname()
