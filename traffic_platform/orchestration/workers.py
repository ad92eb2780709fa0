"""Which process works for a run, so that a run whose process is gone is told from a quiet one.

Dagster's code server notices the death of the processes it started. When it dies with them (a
power cut, `kill -9` of everything), their runs look started until their time limit. So a window
leaves its process's identity in a tag of its run.
"""

from __future__ import annotations

import os
import socket

import psutil

WORKER_TAG = "traffic/worker"


def this_worker() -> str:
    """Identity of this process: host, pid and start time, which tells a reused pid apart."""
    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def is_gone(worker: str | None) -> bool:
    """Whether that process is known to have ended; False for one on another host, or unknown."""
    host, _, rest = (worker or "").partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" != started or _is_dead(process)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _is_dead(process: psutil.Process) -> bool:
    return process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
