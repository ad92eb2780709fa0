"""The consumers that are compared. Each runs as a process of its own, `python -m` its module.

Protocol: a contestant reads its task, one line of JSON, from standard input, prepares, says
"ready", waits for "go", drains, and writes its result as JSON. So imports and preparations are
never measured, and what is measured starts for all writers at once.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Task:
    """What to read and where to write. `events` is the number to read over all writers."""

    bootstrap_servers: str
    owner_url: str
    ingest_url: str
    topic: str
    group: str
    events: int
    writer: int = 0
    writers: int = 1


@dataclass(frozen=True)
class Result:
    """`commits` holds the moment (monotonic clock, seconds) and the events of each commit."""

    commits: list[tuple[float, int]]
    cpu_seconds: float
    peak_rss_bytes: int


Committed = Callable[[int], None]


def take_part(prepare: Callable[[Task], None], drain: Callable[[Task, Committed], None]) -> None:
    """Be a contestant. `drain` calls its second argument after each commit with its events."""
    task = Task(**json.loads(sys.stdin.readline()))
    prepare(task)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    commits: list[tuple[float, int]] = []
    before = time.process_time()
    drain(task, lambda events: commits.append((time.monotonic(), events)))
    result = Result(
        commits=commits,
        cpu_seconds=time.process_time() - before,
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
