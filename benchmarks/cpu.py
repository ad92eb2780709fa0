"""CPU time of process trees."""

from __future__ import annotations

import psutil


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and all its descendants, those that have ended included."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent counts it among its ended children now
        # children_*: what a process has waited for, as a postmaster for each backend.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def machine_seconds() -> float:
    """CPU seconds that this machine has worked, on all cores."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice + times.irq + times.softirq
