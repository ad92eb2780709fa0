"""Run one leg: a contestant's processes with new tables, and the CPU time of every part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from uuid import uuid4

from benchmarks.contestants import Result, Task
from benchmarks.cpu import machine_seconds, tree_seconds
from benchmarks.servers import Servers


@dataclass(frozen=True)
class Contestant:
    """A module of `contestants`, and the number of its processes that share the work."""

    name: str
    module: str
    writers: int = 1
    platform_schema: bool = True
    # Tables, or queries in their place, that must have as many rows as events afterwards.
    stored: Sequence[str] = ()


@dataclass(frozen=True)
class Leg:
    """Results of a leg. CPU time in microseconds per event; `measured_rate` defines the rate."""

    contestant: str
    events: int
    seconds: float
    events_per_s: float
    postgresql_us: float
    broker_us: float
    python_us: float
    peak_rss_mb: float
    other_cpu_share: float  # of the machine's cores, by processes outside the benchmark


Commits = list[tuple[float, int]]  # time (monotonic clock, seconds) and events of each


def run_leg(servers: Servers, contestant: Contestant, topic: str, events: int) -> Leg:
    """Run a contestant over the first `events` events of `topic`, into new tables.

    Raises RuntimeError when it fails, or when a table does not hold every event afterwards.
    """
    with servers.database(migrated=contestant.platform_schema) as database:
        return run_leg_into(servers, database, contestant, topic, events)


def run_leg_into(
    servers: Servers,
    database: str,
    contestant: Contestant,
    topic: str,
    events: int,
    stored_before: int = 0,
) -> Leg:
    """Run a contestant like `run_leg`, but into tables that already hold `stored_before` events."""
    results, spent = _race(servers, database, contestant, topic, events)
    _require_stored(servers, database, contestant, stored_before + events)
    return _leg(contestant, events, results, spent)


def measured_rate(commits: Sequence[Commits]) -> tuple[float, float]:
    """Return seconds and events per second over the commits of each writer.

    The time runs from the first moment at which every writer has committed once to the last commit.
    The events of the commits in between count, so start-up and the first batch count for no writer.
    A batch in progress at the start counts in part: by the share of its time after the start.

    Raises RuntimeError when no commit follows the start.
    """
    start = max(writer[0][0] for writer in commits)
    last = max(at for writer in commits for at, _ in writer)
    if last <= start:
        raise RuntimeError("A writer committed only once. Use more events.")
    counted = sum(
        events * min(1.0, (at - start) / (at - before))
        for writer in commits
        for (before, _), (at, events) in pairwise(writer)
        if at > start
    )
    return last - start, counted / (last - start)


@dataclass(frozen=True)
class _Meter:
    """CPU seconds since the start of the machine and of each server, and the time `at`."""

    at: float
    machine: float
    postgresql: float
    broker: float

    @classmethod
    def read(cls, servers: Servers) -> _Meter:
        return cls(
            at=time.monotonic(),
            machine=machine_seconds(),
            postgresql=tree_seconds(servers.postgres_pid),
            broker=tree_seconds(servers.kafka_pid),
        )

    def since(self, before: _Meter) -> _Meter:
        return _Meter(**{name: value - getattr(before, name) for name, value in vars(self).items()})


def _race(
    servers: Servers, database: str, contestant: Contestant, topic: str, events: int
) -> tuple[list[Result], _Meter]:
    tasks = _tasks(servers, database, contestant, topic, events)
    children = [_start(contestant.module) for _ in tasks]
    try:
        for child, task in zip(children, tasks, strict=True):
            _tell(child, json.dumps(asdict(task)))
        for child in children:
            _expect_ready(child, contestant.name)
        before = _Meter.read(servers)
        for child in children:
            _tell(child, "go")
        results = [_result(child, contestant.name) for child in children]
        spent = _Meter.read(servers).since(before)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()
    servers.require_durability(database)
    return results, spent


def _tasks(
    servers: Servers, database: str, contestant: Contestant, topic: str, events: int
) -> list[Task]:
    return [
        Task(
            bootstrap_servers=servers.kafka.bootstrap_servers,
            owner_url=servers.postgres.url("traffic_owner", database),
            ingest_url=servers.postgres.url("traffic_ingest", database),
            topic=topic,
            group=f"bench-{uuid4().hex[:12]}",
            events=events,
            writer=writer,
            writers=contestant.writers,
        )
        for writer in range(contestant.writers)
    ]


def _start(module: str) -> subprocess.Popen[str]:
    # The benchmark measures the platform's defaults, so the caller's TRAFFIC_… settings stay out.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAFFIC_")}
    return subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.contestants.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _tell(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()


def _expect_ready(child: subprocess.Popen[str], name: str) -> None:
    assert child.stdout is not None
    if child.stdout.readline() != "ready\n":
        raise RuntimeError(f"{name} failed before the start. Its error is above.")


def _result(child: subprocess.Popen[str], name: str) -> Result:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line or child.wait() != 0:
        raise RuntimeError(f"{name} failed. Its error is above.")
    return Result(**json.loads(line))


def _require_stored(servers: Servers, database: str, contestant: Contestant, events: int) -> None:
    with servers.superuser(database) as connection:
        for table in contestant.stored:
            row = connection.execute(f"select count(*) from {table}").fetchone()  # pyright: ignore
            if row is None or row[0] != events:
                found = 0 if row is None else row[0]
                raise RuntimeError(f"{contestant.name}: {table} has {found} rows of {events}.")


def _leg(contestant: Contestant, events: int, results: Sequence[Result], spent: _Meter) -> Leg:
    # A process that only publishes beside the writers has no commits.
    seconds, rate = measured_rate([result.commits for result in results if result.commits])
    python = sum(result.cpu_seconds for result in results)
    own = spent.postgresql + spent.broker + python
    return Leg(
        contestant=contestant.name,
        events=events,
        seconds=round(seconds, 3),
        events_per_s=round(rate, 1),
        postgresql_us=round(spent.postgresql / events * 1e6, 2),
        broker_us=round(spent.broker / events * 1e6, 2),
        python_us=round(python / events * 1e6, 2),
        peak_rss_mb=round(max(result.peak_rss_bytes for result in results) / 1e6, 1),
        other_cpu_share=round(max(0.0, spent.machine - own) / spent.at / (os.cpu_count() or 1), 3),
    )
