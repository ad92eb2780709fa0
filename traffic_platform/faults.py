"""Fault points: named lines at which a test kills or stops this process.

`TRAFFIC_FAULT_POINT=name`, `name:n` or `name:n:stop` sends SIGKILL (or SIGSTOP) to the process
itself at its n-th pass of that point. Without the variable a pass costs one dictionary access. The
signal is real, so a test sees the effect of a crash.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Literal

FaultPoint = Literal[
    "before_database_commit",
    "after_database_commit",
    "before_group_commit",
    "after_group_commit",
    "before_publish_commit",
    "after_publish_commit",
    "before_reprocess_commit",
    "after_reprocess_commit",
    "before_backfill_commit",
    "after_backfill_commit",
    "before_compaction_commit",
    "before_drop_commit",
    "after_archive",
]


def fault_points() -> Callable[[FaultPoint], None]:
    """Return the function that a run calls when it passes a point."""
    name, _, rest = os.environ.get("TRAFFIC_FAULT_POINT", "").partition(":")
    nth, _, action = rest.partition(":")
    remaining = {name: int(nth or 1)}
    wanted = signal.SIGSTOP if action == "stop" else signal.SIGKILL

    def passed(point: FaultPoint) -> None:
        if point in remaining:
            remaining[point] -= 1
            if remaining[point] == 0:
                # Once per process: a stopped run that continues counts no further passes.
                os.environ.pop("TRAFFIC_FAULT_POINT", None)
                os.kill(os.getpid(), wanted)

    return passed
