"""Recovery of a stream after its processes are killed: the time to the next batch, and any loss."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from benchmarks.report import spread
from benchmarks.running_stack import Stack, wait_until
from traffic_platform.kafka.admin import Broker
from traffic_platform.kafka.log_reader import LogReader
from traffic_platform.orchestration.instance.run_processes import pid_here
from traffic_platform.publish.positions import read_lag

_RATE = 5_000  # events per second: 300,000 take a minute
_REPEATS, _BROKEN = 0.01, 0.001
_ALONE, _TOGETHER = 5, 2
_PUBLISHED_RATE, _PUBLISHERS_KILLED = 2_000, 5
_BETWEEN_SECONDS = (3.0, 6.0)  # so that some kills fall into the start of a standby
_MOVES_SECONDS = 60.0
_STORED_SECONDS = 180.0

# Runs of a job that Dagster takes for running, with their processes.
_WORKERS: LiteralString = """
    select r.run_id, t.value from runs r join run_tags t using (run_id)
    where t.key = 'traffic/worker' and r.pipeline_name = %s
      and r.status in ('STARTING', 'STARTED')"""
_HOLDERS: LiteralString = "select distinct run_id from traffic.partition_leases"
_NEWEST: LiteralString = "select coalesce(max(batch_id), 0) from traffic.micro_batches"
_FOLLOWS: LiteralString = """
    select exists (select from traffic.micro_batches
                   where batch_id > %s and run_id <> all (%s))"""
_RAW: LiteralString = "select coalesce(sum(raw), 0)::bigint from traffic.micro_batches"
_PUBLISHED: LiteralString = """
    select coalesce(sum(next_position), 0)::bigint from traffic.publications"""
_DUE: LiteralString = """
    select p.topic_no, p.partition, p."offset"
    from traffic.processed_events p join traffic.topics t using (topic_no) where t.name = %s"""
_TABLES: LiteralString = """
    select (select count(*) from traffic.raw_events),
           (select count(*) from traffic.processed_events),
           (select count(*) from traffic.quarantined_events),
           (select count(*) from traffic.traffic_readings)"""


@dataclass(frozen=True)
class _Platform:
    """Queries about the stream, its ingest runs and their processes."""

    reader: psycopg.Connection[Any]
    runs: psycopg.Connection[Any]

    def one(self, query: LiteralString, *values: object) -> tuple[Any, ...]:
        row = self.reader.execute(query, values).fetchone()
        assert row is not None
        return row

    def workers(self, job: str) -> dict[str, int]:
        """Run ids and pids of the runs of a job whose process lives."""
        found = self.runs.execute(_WORKERS, [job]).fetchall()
        workers = {run_id: pid_here(worker) for run_id, worker in found}
        return {run_id: pid for run_id, pid in workers.items() if pid is not None}

    def ingest_runs(self) -> dict[str, int]:
        """Run ids and pids of the ingest runs."""
        return self.workers("ingest_events")

    def draining(self) -> dict[str, int]:
        """Run ids and pids of the ingest runs that hold partitions."""
        holders = {row[0] for row in self.reader.execute(_HOLDERS)}
        return {run_id: pid for run_id, pid in self.ingest_runs().items() if run_id in holders}


def measure_recovery(stack: Stack, events: int) -> dict[str, Any]:
    """Send `events` events, kill ingest runs meanwhile, and count every message afterwards.

    The draining ingest run is killed five times. Then it and its standby are killed together,
    twice, so that the sensor must request another. Seconds count from the kill to the next batch
    that another ingest run commits. Raises RuntimeError when a table has a wrong number of rows.
    """
    with (
        stack.reader() as reader,
        psycopg.connect(stack.endpoints.dagster_url, autocommit=True) as runs,
        _produce(stack, events) as producer,
    ):
        platform = _Platform(reader, runs)
        raw, *_ = before = platform.one(_TABLES)
        wait_until(lambda: platform.one(_RAW)[0] > raw, _MOVES_SECONDS, "a stream that is stored")
        alone = [_kill(platform, together=False) for _ in range(_ALONE)]
        together = [_kill(platform, together=True) for _ in range(_TOGETHER)]
        out, _ = producer.communicate()
        sent: dict[str, Any] = json.loads(out)
        due = raw + sent["delivered"]
        wait_until(lambda: platform.one(_RAW)[0] >= due, _STORED_SECONDS, f"{due} stored messages")
        after = platform.one(_TABLES)
    stored = [now - was for now, was in zip(after, before, strict=True)]
    _require_everything(sent, *stored)
    return {
        "sent": {name: sent[name] for name in ("delivered", "flat", "nested", "repeat", "broken")},
        "stored": dict(zip(("raw", "processed", "quarantined", "readings"), stored, strict=True)),
        "ingest_run_killed_s": {**spread(alone), "each": alone},
        "ingest_run_and_standby_killed_s": {**spread(together), "each": together},
        "verify_deep_s": _verify(stack),
    }


def measure_publishing(stack: Stack, events: int) -> dict[str, Any]:
    """Send `events` events, kill the publisher meanwhile, and read the clean stream afterwards.

    Raises RuntimeError when a reader has not seen every event exactly once, or `traffic verify
    --deep` finds a difference.
    """
    with (
        stack.reader() as reader,
        psycopg.connect(stack.endpoints.dagster_url, autocommit=True) as runs,
        _produce(stack, events, _PUBLISHED_RATE, broken=0) as producer,
    ):
        platform = _Platform(reader, runs)
        kills = [_kill_publisher(platform) for _ in range(_PUBLISHERS_KILLED)]
        out, _ = producer.communicate()
        sent: dict[str, Any] = json.loads(out)
        wait_until(
            lambda: read_lag(reader, stack.settings).total == 0 and stack.lag() == 0,
            _STORED_SECONDS,
            "a clean stream that is complete",
        )
        due = Counter(reader.execute(_DUE, [stack.settings.raw_topic]).fetchall())
    seen = _read_clean_stream(stack)
    if seen != due:
        raise RuntimeError(f"{sum(due.values())} events expected, {sum(seen.values())} read")
    return {
        "sent": {name: sent[name] for name in ("delivered", "flat", "nested", "repeat")},
        "seen_once": len(seen),
        "publisher_killed_s": {**spread(kills), "each": kills},
        "verify_deep_s": _verify(stack),
    }


def _kill_publisher(platform: _Platform) -> float:
    """Kill the publisher run. Return the seconds until the positions advance again."""
    time.sleep(random.uniform(*_BETWEEN_SECONDS))
    wait_until(
        lambda: bool(platform.workers("publish_events")), _MOVES_SECONDS, "a running publisher"
    )
    for pid in platform.workers("publish_events").values():
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    (before,) = platform.one(_PUBLISHED)
    wait_until(
        lambda: platform.one(_PUBLISHED)[0] > before, _MOVES_SECONDS, "a stream that is published"
    )
    return round(time.monotonic() - killed, 2)


def _read_clean_stream(stack: Stack) -> Counter[tuple[Any, ...]]:
    """Read the clean stream as a plain consumer, and count the messages of each origin.

    An origin is (topic_no, partition, offset) of the raw message.
    """
    topic = stack.settings.events_topic
    broker = Broker(stack.settings.kafka_config())
    described = broker.describe(topic)
    assert described is not None
    seen: Counter[tuple[Any, ...]] = Counter()
    with LogReader(stack.settings.kafka_config(), "bench-reader") as log:
        for partition, ends in described.partitions.items():
            log.seek(topic, partition, ends.low)
            for messages in log.read_below(ends.end):
                for message in messages:
                    origin = dict(message.headers() or ())["traffic-origin"]
                    seen[tuple(int(number) for number in origin.split(b"/")[1:4])] += 1  # pyright: ignore
    return seen


def _produce(
    stack: Stack, events: int, rate: int = _RATE, broken: float = _BROKEN
) -> subprocess.Popen[bytes]:
    shares = ("--repeat-share", str(_REPEATS), "--broken-share", str(broken))
    size = ("--rate", str(rate), "--count", str(events), "--sensors", "500")
    return stack.start("produce", "--json", *size, *shares)


def _kill(platform: _Platform, *, together: bool) -> float:
    """Kill the draining ingest run, or every ingest run. Return the seconds to the next batch."""
    time.sleep(random.uniform(*_BETWEEN_SECONDS))
    wait_until(lambda: bool(platform.draining()), _MOVES_SECONDS, "a draining ingest run")
    victims = platform.ingest_runs() if together else platform.draining()
    for pid in victims.values():
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    (newest,) = platform.one(_NEWEST)
    wait_until(
        lambda: platform.one(_FOLLOWS, newest, list(victims))[0],
        _MOVES_SECONDS,
        "a committed batch after a kill",
    )
    return round(time.monotonic() - killed, 2)


def _require_everything(
    sent: dict[str, Any], raw: int, processed: int, quarantined: int, readings: int
) -> None:
    good = sent["delivered"] - sent["broken"]
    due = (sent["delivered"], good, sent["broken"], good - sent["repeat"])
    if sent["failed"] or (raw, processed, quarantined, readings) != due:
        found = (raw, processed, quarantined, readings)
        raise RuntimeError(
            f"Raw, processed, quarantined and readings have {found} rows, {due} expected."
            f" The producer lost {sent['failed']} messages."
        )


def _verify(stack: Stack) -> float:
    """Run `traffic verify --deep` and return its seconds. Raises RuntimeError on a difference."""
    with stack.start("verify", "--deep", "--json") as verification:
        out, _ = verification.communicate()
    if verification.returncode:
        raise RuntimeError(f"traffic verify --deep: {json.loads(out)['first_difference']}")
    return json.loads(out)["seconds"]
