"""The total of a date equals the number of its readings at every moment."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.reprocess import backfill_dates
from traffic_platform.rollups import roll_up_all
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import LOOPBACK
from traffic_platform_tests.integration.once import drain

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
PATH = "/api/traffic/historical/2025-10-04"


def messages(number: int, count: int) -> list[bytes]:
    """Return readings over two hours. Some repeat the sensor and time of others."""
    choose = random.Random(number)
    return [
        json.dumps(
            {
                "sensor_id": f"s{choose.randint(0, 9)}",
                "timestamp": (NOON + timedelta(seconds=choose.randint(0, 7200))).isoformat(),
                "speed": choose.randint(20, 70),
            }
        ).encode()
        for _ in range(count)
    ]


def test_totals_are_right_during_ingest_runs_and_roll_ups(
    settings: Settings,
    owner: psycopg.Connection,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    """The numbers of readings before and after a request bound its total."""
    make_topic(partitions=2)
    ended = threading.Event()

    def store() -> None:
        try:
            for number in range(8):
                produce(messages(number, 1500), partition=number % 2)
                drain(settings)
                if number % 2:
                    roll_up_all(settings)
        finally:
            ended.set()

    def stored() -> int:
        row = owner.execute("select count(*) from traffic.traffic_readings").fetchone()
        assert row is not None
        return row[0]

    choose = random.Random(1)
    seen: set[int] = set()
    writer = threading.Thread(target=store)
    with TestClient(create_app(settings), base_url=LOOPBACK) as client:
        writer.start()
        while not ended.is_set():
            before = stored()
            page = choose.randint(1, max(1, before // 100))
            document = client.get(PATH, params={"size": 100, "page": page}).json()
            total = document["total"]
            assert before <= total <= stored()
            assert len(document["items"]) == min(100, max(0, total - 100 * (page - 1)))
            seen.add(total)
        writer.join()
        assert len(seen) > 2
        pending = owner.execute("select count(*) from traffic.reading_changes").fetchone()
        assert pending == (0,)  # the last roll-up added them up
        produce(messages(99, 500), partition=0)
        drain(settings)
        pending = owner.execute("select count(*) > 0 from traffic.reading_changes").fetchone()
        assert pending == (True,)
        assert client.get(PATH).json()["total"] == stored()
        # Somebody deletes readings by hand, and a backfill restores them.
        owner.execute("delete from traffic.traffic_readings where sensor_id in"
                      " (select sensor_id from traffic.sensors limit 3)")  # fmt: skip
        backfill_dates(settings, [NOON.date()])
        roll_up_all(settings)
        assert client.get(PATH).json()["total"] == stored()
    spans = owner.execute(
        "select span_s, sum(readings) from traffic.reading_counts group by 1 order by 1"
    ).fetchall()
    assert spans == [(10, stored()), (900, stored())]
