"""The page of one sensor, as a browser fetches it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import psycopg

from traffic_platform.dashboard.shared.model import Reading as Shown
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import as_environment
from traffic_platform_tests.dashboard.test_page_questions import ask
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
    """Status and type of the answer, and whether it has each sentence."""
    fetched = subprocess.run(
        [sys.executable, "-c", _FETCH, path, *sentences],
        env={**os.environ, **as_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fetched.returncode == 0, fetched.stderr
    return fetched.stdout.splitlines()


def test_a_day_that_is_cut_says_so_and_counts_all(
    settings: Settings, owner: psycopg.Connection
) -> None:
    add_sensor(owner, "fast")
    add_readings(owner, "fast", every(4, START, 20_003))
    owner.execute(
        "update traffic.traffic_readings set quality_flags = 4"
        ' where "offset" = 0 or "offset" >= 20000'
    )
    told = "The first 20,000 of 20,003 readings are drawn; 4 of all are flagged by a quality test"
    path = f"/sensor/{sensor_uuid('fast')}?date=2025-10-04"
    assert fetch(settings, path, told) == ["200 text/html; charset=utf-8", "True"]


def test_postgresql_counts_as_flagged_what_the_page_marks(
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
            [counts] = ask(settings, "sensor_day_counts", **of_sensor, **day)
            marked = Shown(of_sensor["sensor_id"], START, **fields, quality_flags=flags).is_flagged
            assert (counts.readings, counts.flagged) == (1, marked), name


def test_what_is_no_uuid_is_no_sensor_on_a_page(settings: Settings) -> None:
    answered = fetch(settings, "/sensor/xx%00", "No such sensor", "There is no sensor xx\ufffd.")
    assert answered == ["200 text/html; charset=utf-8", "True", "True"]
