"""When a process started, in a form that no other process shares and no clock can change."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def start_mark(pid: int) -> str | None:
    """What tells the living process `pid` from any other that has the pid; None: it has ended.

    On Linux the boot and the kernel's ticks since it. psutil's creation time is these ticks added
    to a time of boot that moves with every step of the clock.
    """
    if sys.platform != "linux":
        return _creation_time(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets, and may hold anything.
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return None if state in "ZXx" else f"{boot}.{ticks}"


def _creation_time(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() in _ENDED else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
