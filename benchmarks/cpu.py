"""CPU time of process trees."""

from __future__ import annotations

import psutil


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, including those that have ended."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has ended, so its parent's children_… times include it
        # children_…: processes that this one has waited for, as the postmaster for each backend
        total += times.user + times.system + times.children_user + times.children_system
    return total


def machine_seconds() -> float:
    """Return the CPU seconds that this machine has spent on work, over all cores."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice + times.irq + times.softirq
