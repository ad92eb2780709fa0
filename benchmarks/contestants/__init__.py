"""Consumers to compare. Each module runs as a separate process with `python -m`.

Protocol: a contestant reads its task, one line of JSON, from standard input. It prepares, prints
"ready", waits for a line, drains, and prints its result as JSON. So the measurement leaves out
imports and preparations, and begins for all writers at once.
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
    """Topic to read and database to write. `events` is the number of events of all writers."""

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
    """Result of a process. `commits` holds time (monotonic clock, seconds) and events of each."""

    commits: list[tuple[float, int]]
    cpu_seconds: float
    peak_rss_bytes: int


Committed = Callable[[int], None]


def take_part(prepare: Callable[[Task], None], drain: Callable[[Task, Committed], None]) -> None:
    """Run a contestant by the protocol.

    `drain` calls its second argument after each commit with the number of events.
    """
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
