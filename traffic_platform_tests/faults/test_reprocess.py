"""Reprocessing beside a live run and its feed, killed at every critical point."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest
from confluent_kafka import Producer

from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.faults.accounting import stored
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until

MakeTopic = Callable[..., str]
StartRun = Callable[..., RunProcess]

ZONE = "Europe/Berlin"
ENDED = {"TRAFFIC_NAIVE_TIMEZONE": ZONE, "TRAFFIC_BATCH_MESSAGES": "50"}


class NaiveFeed:
    """A producer of events: every second one has no zone, every tenth the time of another."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer({**settings.kafka_config(), "linger.ms": 5, "log_level": 0})
        self._topic = settings.raw_topic
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self._thread.start()

    def stop(self) -> int:
        """Stop sending, and return the number of messages that the broker has."""
        self._stopping.set()
        self._thread.join()
        assert self._producer.flush(60) == 0
        return self.sent

    def _run(self) -> None:
        start = datetime(2025, 6, 30, 12)
        for number in itertools.count():
            when = start + timedelta(seconds=number if number % 10 else number // 2)
            zone = "" if number % 2 else "+02:00"
            body = {"sensor_id": f"s{number % 5}", "timestamp": f"{when.isoformat()}{zone}"}
            self._producer.produce(self._topic, json.dumps(body | {"speed": number % 90}).encode())
            self._producer.poll(0)
            self.sent = number + 1
            if self._stopping.wait(0.002):
                return


@contextmanager
def feed(settings: Settings) -> Iterator[NaiveFeed]:
    """Run a feed until the end of the block."""
    naive = NaiveFeed(settings)
    try:
        yield naive
    finally:
        naive.stop()


def reprocess(environment: dict[str, str], **variables: str) -> tuple[int, str]:
    """Reprocess in chunks of 50, and return the exit code and output."""
    ended = subprocess.run(
        [sys.executable, "-m", "traffic_platform_tests.faults.reprocess"],
        env={**os.environ, **environment, **ENDED, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout or ended.stderr


def count(settings: Settings, table: str) -> int:
    """Return the number of rows of a table."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(f"select count(*) from traffic.{table}").fetchone()  # pyright: ignore[reportArgumentType]
        assert row is not None
        return row[0]


def assert_complete(settings: Settings, sent: int) -> None:
    """Assert that each message is one event, and each reading the latest of its sensor and time."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        assert connection.execute(
            'select count(*), count(distinct (topic_no, partition, "offset"))'
            " from traffic.processed_events"
        ).fetchone() == (sent, sent)
        assert connection.execute(
            "select count(*) from traffic.replayed_events r join traffic.quarantined_events q"
            " using (topic_no, partition, \"offset\") where q.resolution = 'replayed'"
        ).fetchone() == (sent // 2,)
        latest = connection.execute(
            'select distinct on (p.sensor_id, p."timestamp") p.sensor_id, p."timestamp",'
            ' p.speed, p.partition, p."offset" from traffic.processed_events p'
            ' join traffic.raw_events r using (topic_no, partition, "offset")'
            ' order by 1, 2, r.broker_timestamp desc, p.partition desc, p."offset" desc'
        ).fetchall()
        assert (
            latest
            == connection.execute(
                'select sensor_id, "timestamp", speed, partition, "offset"'
                " from traffic.traffic_readings order by 1, 2"
            ).fetchall()
        )
    for zone in (ZONE, None):
        report = verify(settings.model_copy(update={"naive_timezone": zone}), deep=True)
        assert report.holds, [finding.sentence for finding in report.findings]


@pytest.mark.parametrize("point", ["before_reprocess_commit:2", "after_reprocess_commit:2"])
def test_reprocessing_killed_beside_a_live_run_loses_nothing_and_repeats_nothing(
    settings: Settings,
    environment: dict[str, str],
    make_topic: MakeTopic,
    start_run: StartRun,
    point: str,
) -> None:
    make_topic(partitions=3)
    with feed(settings) as naive:
        ingest_run = start_run()
        wait_until(
            lambda: count(settings, "quarantined_events") > 400, "enough messages are in quarantine"
        )
        code, output = reprocess(environment, TRAFFIC_FAULT_POINT=point)
        assert code == -signal.SIGKILL, output
        done = 50 if point.startswith("before") else 100
        assert count(settings, "replayed_events") == done
        while naive.sent < 2000:
            code, output = reprocess(environment)
            assert code == 0, output
        sent = naive.stop()
        wait_until(lambda: stored(settings) == sent, "every message is stored")
        ingest_run.end()
        assert reprocess(environment)[0] == 0
        assert_complete(settings, sent)
