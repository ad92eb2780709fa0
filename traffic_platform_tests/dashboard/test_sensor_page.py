"""The page of one sensor, over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import psycopg

from traffic_platform.dashboard.reader.sensors import Reading
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import as_environment
from traffic_platform_tests.dashboard.test_queries import query
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every

_FETCH = """
import sys
from fastapi.testclient import TestClient
from traffic_platform.api.app import create_app
from traffic_platform.dashboard.mount import mount
from traffic_platform.settings import load_settings

app = create_app(load_settings())
mount(app)
path, *sentences = sys.argv[1:]
with TestClient(app, client=("127.0.0.1", 1), base_url="http://127.0.0.1") as client:
    answer = client.get(path)
    print(answer.status_code, answer.headers["content-type"])
    for sentence in sentences:
        print(sentence in answer.text)
"""
START = datetime(2025, 10, 4, tzinfo=UTC)


def fetch(settings: Settings, path: str, *sentences: str) -> list[str]:
    """Return status and type of the response, and whether it contains each sentence."""
    fetched = subprocess.run(
        [sys.executable, "-c", _FETCH, path, *sentences],
        env={**os.environ, **as_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fetched.returncode == 0, fetched.stderr
    return fetched.stdout.splitlines()


def test_a_chart_of_a_long_day_is_cut_and_counts_all_readings(
    settings: Settings, owner: psycopg.Connection
) -> None:
    add_sensor(owner, "fast")
    add_readings(owner, "fast", every(4, START, 20_003))
    owner.execute(
        "update traffic.traffic_readings set quality_flags = 4"
        ' where "offset" = 0 or "offset" >= 20000'
    )
    caption = "The chart shows the first 20,000 of 20,003 readings. 4 of all failed a quality test"
    path = f"/sensor/{sensor_uuid('fast')}?date=2025-10-04"
    assert fetch(settings, path, caption) == ["200 text/html; charset=utf-8", "True"]


def test_postgresql_counts_the_readings_that_the_page_marks_as_flagged(
    settings: Settings, owner: psycopg.Connection
) -> None:
    measures: list[dict[str, Any]] = [
        {"speed": 0.0, "volume": 0, "occupancy": 0.0},
        {"speed": None, "volume": 0, "occupancy": None},
        {"speed": 3.0, "volume": 900, "occupancy": 40.0},
        {"speed": 0.0, "volume": 0, "occupancy": 80.0},
    ]
    day = {"start": START, "end": START.replace(day=5)}
    for number, fields in enumerate(measures):
        for flags in (0, 8, 12):
            name = f"s{number}-{flags}"
            add_sensor(owner, name)
            add_readings(owner, name, every(20, START, 1, **fields))
            of_sensor = {"sensor_id": sensor_uuid(name)}
            owner.execute(
                "update traffic.traffic_readings set quality_flags = %s where sensor_id = %s",
                (flags, of_sensor["sensor_id"]),
            )
            [counts] = query(settings, "sensor/reading_counts", **of_sensor, **day)
            marked = Reading(
                of_sensor["sensor_id"], START, **fields, quality_flags=flags
            ).is_flagged
            assert (counts.readings, counts.flagged) == (1, marked), name


def test_an_invalid_uuid_is_an_unknown_sensor(settings: Settings) -> None:
    answered = fetch(settings, "/sensor/xx%00", "Unknown sensor", "There is no sensor xx\ufffd.")
    assert answered == ["200 text/html; charset=utf-8", "True", "True"]
