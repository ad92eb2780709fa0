"""Backfills beside a live run and its feed, killed at every critical point."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.faults.accounting import stored
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.faults.test_reprocess import ZONE, NaiveFeed, count, feed

MakeTopic = Callable[..., str]
StartRun = Callable[..., RunProcess]

# The feed's naive times begin on 2025-06-30; a zone can move some to a date beside it.
DATES = ("2025-06-29", "2025-06-30", "2025-07-01")


def backfill(environment: dict[str, str], **variables: str) -> tuple[int, str]:
    """Backfill the feed's dates, and return the exit code and output."""
    ended = subprocess.run(
        [sys.executable, "-m", "traffic_platform_tests.faults.backfill", *DATES],
        env={**os.environ, **environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout or ended.stderr


def entered(output: str) -> int:
    """Return the number of messages that left quarantine."""
    return sum(day["entered"] for day in json.loads(output))


def assert_holds(settings: Settings, zone: str | None) -> None:
    """Assert that `traffic verify --deep` finds no difference under the rules of this zone."""
    report = verify(settings.model_copy(update={"naive_timezone": zone}), deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]


class Reader(threading.Thread):
    """A reader that looks for inconsistent rows in a loop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._url = settings.endpoints().read_url
        self.stop = threading.Event()
        self.odd: list[tuple[object, ...]] = []
        self.queries = 0

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self.stop.is_set():
                # An event without its reading, or both processed and quarantined, is half a date.
                row = connection.execute(
                    "select count(*) filter (where d.sensor_id is null),"
                    " count(*) filter (where q.resolved_at is null and q.topic_no is not null)"
                    " from traffic.processed_events p"
                    ' left join traffic.traffic_readings d using (sensor_id, "timestamp")'
                    " left join traffic.quarantined_events q on q.topic_no = p.topic_no"
                    ' and q.partition = p.partition and q."offset" = p."offset"'
                ).fetchone()
                self.queries += 1
                if row != (0, 0):
                    self.odd.append(row or ())


def test_backfills_beside_a_live_run_lose_nothing_and_show_no_half_date(
    settings: Settings,
    environment: dict[str, str],
    make_topic: MakeTopic,
    start_run: StartRun,
) -> None:
    make_topic(partitions=3)
    reader = Reader(settings)
    reader.start()
    with feed(settings) as naive:
        ingest_run = start_run()
        wait_until(lambda: count(settings, "quarantined_events") > 300, "messages in quarantine")
        reprocessed = 0
        # Into the tables and out again, so that events of the same time win, lose and win again.
        for zone in (ZONE, "", ZONE):
            code, output = backfill(environment, TRAFFIC_NAIVE_TIMEZONE=zone)
            assert code == 0, output
            reprocessed = entered(output) if zone else 0
        assert reprocessed > 300
        sent = finish(settings, naive, ingest_run)
        code, output = backfill(environment, TRAFFIC_NAIVE_TIMEZONE=ZONE)
        assert code == 0, output
    reader.stop.set()
    reader.join()
    assert reader.queries > 5
    assert reader.odd == []
    assert count(settings, "processed_events") == sent
    assert_holds(settings, ZONE)
    assert_holds(settings, None)


def finish(settings: Settings, naive: NaiveFeed, ingest_run: RunProcess) -> int:
    """End the feed, then the run after it has stored the rest; return the number of messages."""
    sent = naive.stop()
    wait_until(lambda: stored(settings) == sent, "every message is stored")
    ingest_run.end()
    return sent


@pytest.mark.parametrize("point", ["before_backfill_commit:2", "after_backfill_commit:1"])
def test_a_killed_backfill_leaves_each_date_old_or_new(
    settings: Settings,
    environment: dict[str, str],
    make_topic: MakeTopic,
    start_run: StartRun,
    produce: Callable[..., None],
    point: str,
) -> None:
    make_topic(partitions=2)
    days = (29, 30)
    bodies = [
        {"sensor_id": f"s{number % 7}", "timestamp": f"2025-06-{day}T12:{number % 60:02}:00"}
        for day in days
        for number in range(300)
    ]
    produce([json.dumps({**body, "speed": 50.0}).encode() for body in bodies])
    ingest_run = start_run()
    wait_until(lambda: stored(settings) == 600, "every message is stored")
    ingest_run.end()
    code, output = backfill(environment, TRAFFIC_NAIVE_TIMEZONE=ZONE, TRAFFIC_FAULT_POINT=point)
    assert code == -signal.SIGKILL, output
    assert count(settings, "processed_events") == 300  # the first date, and nothing of the second
    assert_holds(settings, ZONE)
    code, output = backfill(environment, TRAFFIC_NAIVE_TIMEZONE=ZONE)
    assert code == 0, output
    assert entered(output) == 300
    assert count(settings, "processed_events") == 600
    assert_holds(settings, ZONE)
