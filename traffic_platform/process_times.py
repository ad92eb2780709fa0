"""Start marks of processes, unique and independent of the clock."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def start_mark(pid: int) -> str | None:
    """Return a mark that distinguishes process `pid` from others that ever have this pid.

    None means that the process has ended. On Linux the mark is the boot's id and the kernel's ticks
    since the boot. psutil adds these ticks to a time of boot, which changes when the clock is set.
    """
    if sys.platform != "linux":
        return _creation_time(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets, which may contain any character.
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return None if state in "ZXx" else f"{boot}.{ticks}"


def _creation_time(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() in _ENDED else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
