"""A steady stream of current events and the ingest run that stores it, in a separate process."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from confluent_kafka import Producer

from benchmarks.contestants import Task
from benchmarks.contestants.ingest_run import settings_of
from benchmarks.servers import Servers
from benchmarks.stream import PARTITIONS, event
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.rollups import BackgroundRollups

_TICK_S = 0.1


def _produce(task: Task, sensors: int, rate: float, ended: threading.Event) -> None:
    producer = Producer({"bootstrap.servers": task.bootstrap_servers, "linger.ms": 5})
    names = itertools.cycle(range(sensors))
    sent, began = 0, time.monotonic()
    while not ended.wait(_TICK_S):
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        while sent < rate * (time.monotonic() - began):
            number = next(names)
            value = event(f"det-{number}", now, random.uniform(20, 70), random.randint(0, 2000), 9)
            producer.produce(task.topic, value, partition=number % PARTITIONS)
            sent += 1
        producer.poll(0)
    producer.flush(30)


@contextmanager
def live_stream(servers: Servers, database: str, topic: str, sensors: int) -> Generator[None]:
    """Store and roll up 1,000 current events per second of `topic` while the context is open."""
    urls = [servers.postgres.url(role, database) for role in ("traffic_owner", "traffic_ingest")]
    command = [sys.executable, "-m", "benchmarks.live_stream", servers.kafka.bootstrap_servers]
    before = events_stored(servers, database)
    with running_process([*command, *urls, topic, str(sensors)], {}):
        while events_stored(servers, database) < before + 2 * sensors:
            time.sleep(0.2)
        yield


def events_stored(servers: Servers, database: str) -> int:
    """Return the number of processed events."""
    with servers.superuser(database) as owner:
        row = owner.execute("select sum(processed)::bigint from traffic.micro_batches").fetchone()
    return int(row[0] or 0) if row else 0


@contextmanager
def running_process(command: Sequence[str], variables: dict[str, str]) -> Generator[None]:
    """Run a process while the context is open, then end it with SIGTERM."""
    environment = {**os.environ, **variables}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def main(bootstrap: str, owner_url: str, ingest_url: str, topic: str, sensors: int) -> None:
    """Produce and ingest until SIGTERM."""
    task = Task(bootstrap, owner_url, ingest_url, topic, "bench-serving", 0)
    settings, ended = settings_of(task), threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    producer = threading.Thread(target=_produce, args=(task, sensors, 1_000, ended))
    producer.start()
    with BackgroundRollups(settings) as rollups:
        run_ingest(
            settings,
            [topic],
            limits=RunLimits(seconds=7200, idle_seconds=7200),
            run_id=None,
            stop=ended.is_set,
            stored=rollups.stored,
        )
    producer.join()


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
