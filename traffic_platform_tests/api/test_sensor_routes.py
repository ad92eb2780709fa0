"""Routes of sensors, their readings, the current readings and the quality of a date."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.api.traffic import current
from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import recompute
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import LOOPBACK, served
from traffic_platform_tests.rollups.readings import Reading, add_readings, add_sensor, every

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def test_sensors_are_listed_along_the_road(client: TestClient, owner: psycopg.Connection) -> None:
    add_sensor(owner, "b", road="I-5", direction="NORTH", milepost=2.5, length_mi=0.5, lanes=2)
    add_sensor(owner, "a", road="I-5", direction="NORTH", milepost=1.5, interval_s=20)
    add_sensor(owner, "c", origin="seen", inferred_interval_s=30, inferred_free_flow_mph=61.0)
    document = client.get("/api/sensors").json()
    assert (document["total"], document["page"], document["pages"]) == (3, 1, 1)
    assert [item["external_id"] for item in document["items"]] == ["a", "b", "c"]
    assert document["items"][2] == {
        "sensor_id": str(sensor_uuid("c")),
        "external_id": "c",
        **dict.fromkeys(("name", "road", "direction", "lanes", "milepost", "length_mi")),
        **dict.fromkeys(("latitude", "longitude", "station_id", "rural")),
        "interval_s": 30,
        "free_flow_mph": 61.0,
        "retired": False,
        "valid_from": None,
        "origin": "seen",
        "registered_at": "2020-01-01T00:00:00Z",
    }
    some = client.get("/api/sensors", params={"road": "I-5", "size": 1, "page": 2}).json()
    assert [item["external_id"] for item in some["items"]] == ["b"]
    assert (some["total"], some["pages"]) == (2, 2)
    assert client.get("/api/sensors", params={"origin": "seen"}).json()["total"] == 1


def test_a_sensor_has_its_newest_reading(client: TestClient, owner: psycopg.Connection) -> None:
    add_sensor(owner, "det/7?")
    by_id = f"/api/sensors/{sensor_uuid('det/7?')}"
    assert client.get(by_id).json()["newest_reading"] is None
    add_readings(owner, "det/7?", every(20, NOON, 3))
    assert client.get(by_id).json()["newest_reading"]["timestamp"] == "2025-10-04T12:00:40Z"
    by_name = client.get("/api/sensors/det%2F7%3F")
    assert by_name.json() == client.get(by_id).json()
    [period] = by_name.json()["periods"]
    assert (period["valid_from"], period["source"]) == (None, "registered")
    missing = client.get("/api/sensors/nobody")
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (404, "id")


def test_identifiers_may_contain_any_character_of_a_path(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    """A real server decodes the paths. Metrics count routes by their templates."""
    names = ["a", "a/b", "a/readings", "/", "a//b/", "two\nlines", "a/readings/b", "%2F", "ü/?#"]
    with (
        served(create_app(api_settings())) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        for name in names:
            add_sensor(owner, name)
            path = f"/api/sensors/{quote(name, safe='')}"
            found = [client.get(path), client.get(f"/api/sensors/{sensor_uuid(name)}")]
            if name == "a/readings":  # documented: this path means the readings of sensor `a`
                assert found.pop(0).json()["sensor_id"] == str(sensor_uuid("a"))
            assert [answer.json()["external_id"] for answer in found] == [name] * len(found)
            path += "/readings?from=2025-10-04T12:00:00Z&to=2025-10-04T13:00:00Z"
            readings = client.get(path)
            assert readings.json()["sensor_id"] == str(sensor_uuid(name))
            assert client.head(path).headers["etag"] == readings.headers["etag"]
        unknown = client.get("/api/sensors/a%2Fnobody")
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (404, "id")
        wrong = client.post("/api/sensors/a%2Fb/readings")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
        assert client.get("/api/sensors/").headers["location"] == f"{running.url}/api/sensors"
        paths = client.get("/openapi.json").json()["paths"]
        assert {"/api/sensors/{id}", "/api/sensors/{id}/readings"} < set(paths)
        counted = client.get("/metrics").text
    labels = set(re.findall(r'route="(/api/sensors[^"]*)"', counted))
    assert labels == {"/api/sensors/{id}", "/api/sensors/{id}/readings"}


def test_readings_of_a_sensor_have_four_resolutions(
    client: TestClient, owner: psycopg.Connection
) -> None:
    add_sensor(owner, "s", interval_s=20, length_mi=0.5, free_flow_mph=60.0)
    add_readings(owner, "s", every(20, NOON, 540, volume=900, speed=50.0))
    recompute(owner, [NOON.date()])
    path, noon = "/api/sensors/s/readings", "2025-10-04T12:00:00Z"
    raw = client.get(path, params={"from": noon, "to": "2025-10-04T14:01:00+02:00"}).json()
    assert [item["timestamp"] for item in raw["items"]] == [
        f"2025-10-04T12:00:{second:02}Z" for second in (0, 20, 40)
    ]
    assert (raw["from"], raw["to"]) == (noon, "2025-10-04T12:01:00Z")
    assert set(raw["items"][0]) == {
        "id",
        "sensor_id",
        "timestamp",
        "speed",
        "volume",
        "occupancy",
        "quality_score",
    }
    for resolution, count, vehicles in (("5min", 36, 75), ("hour", 3, 900)):
        params = {"from": noon, "to": "2025-10-04T15:00:00Z", "resolution": resolution}
        items = client.get(path, params=params).json()["items"]
        assert (len(items), items[0]["timestamp"]) == (count, noon)
        assert (items[0]["vehicles"], items[0]["speed"]) == (vehicles, 50.0)
    params = {"from": "2025-10-04T00:00:00Z", "resolution": "day"}
    (day,) = client.get(path, params=params).json()["items"]
    assert (day["timestamp"], day["vehicles"]) == ("2025-10-04T00:00:00Z", 2700)
    later = {**params, "from": "2025-10-04T00:00:01Z", "to": "2025-10-05T00:00:00Z"}
    assert client.get(path, params=later).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2025-10-04T12:00:00", "from"),
        ("to=2025-10-04", "to"),
        ("from=2025-W40-6T12:00:00Z&to=2025-10-05T00:00:00Z", "from"),
        ("from=2025W406T120000Z&to=2025-10-05T00:00:00Z", "from"),
        ("from=2025-10-04T12:00:00Z&to=2025-10-04T12:00:00Z", "from"),
        ("from=2025-01-01T00:00:00Z&to=2025-10-04T12:00:00Z", "from"),
        ("resolution=minute", "resolution"),
    ],
)
def test_an_invalid_range_names_its_field(
    client: TestClient, owner: psycopg.Connection, query: str, field: str
) -> None:
    add_sensor(owner, "s")
    answer = client.get(f"/api/sensors/s/readings?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_the_newest_reading_of_each_sensor_is_current_for_five_minutes_or_three_intervals(
    client: TestClient, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/api/traffic/current").json() == {
        "items": [],
        "total": 0,
        "page": 1,
        "pages": 0,
    }
    now = datetime.now(UTC).replace(microsecond=0)
    # Five minutes, or three intervals of a slower sensor.
    ages = {
        "s0": (1, 20),
        "s1": (200, 20),
        "old": (400, 20),
        "slow": (2_600, 900),
        "late": (2_800, 900),
    }
    for name, (age, interval_s) in ages.items():
        add_sensor(owner, name, interval_s=interval_s)
        at = now - timedelta(seconds=age)
        add_readings(owner, name, [Reading(at - timedelta(seconds=20)), Reading(at)])
    # Without these, the cached answer would be served for a moment.
    monkeypatch.setattr(current, "FRESH_SECONDS", 0)
    monkeypatch.setattr(current, "OLDEST_SECONDS", 0)
    answer = client.get("/api/traffic/current")
    document = answer.json()
    assert (document["total"], document["pages"]) == (3, 1)
    assert {item["sensor_id"]: item["timestamp"] for item in document["items"]} == {
        str(sensor_uuid(name)): (now - timedelta(seconds=ages[name][0])).isoformat()[:19] + "Z"
        for name in ("s0", "s1", "slow")
    }
    again = client.get("/api/traffic/current", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_the_quality_of_a_date(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    settings = api_settings(kafka_bootstrap_servers="nowhere:9092")
    add_sensor(owner, "good", interval_s=300, road="I-5")
    add_readings(owner, "good", every(300, NOON - timedelta(hours=12), 288))
    add_sensor(owner, "silent", interval_s=300)
    recompute(owner, [NOON.date()])
    owner.execute(
        "update traffic.traffic_readings set quality_flags = 4, quality_score = 0.5"
        ' where "timestamp" < %s',
        (NOON - timedelta(hours=11),),
    )
    compute_health(settings, NOON.date())
    owner.execute(
        'insert into traffic.quarantined_events (topic_no, partition, "offset", reason, detail,'
        " quarantined_at, batch_id, event_date, resolved_at) select 1, 0, n, 'out_of_range', '',"
        " now(), 1, '2025-10-04', case when n = 1 then now() end from generate_series(1, 3) n"
    )
    with TestClient(create_app(settings), base_url=LOOPBACK) as client:
        document = client.get("/api/quality/2025-10-04").json()
    assert document["quarantine"] == [{"reason": "out_of_range", "messages": 3, "unresolved": 2}]
    assert document["completeness"]["completeness"] == 1
    assert (document["completeness"]["sensors"], document["completeness"]["readings"]) == (1, 288)
    scores = document["scores"]
    assert (scores["readings"], scores["looked_at"], scores["min_score"]) == (288, 288, 0.5)
    assert document["flags"] == [
        {
            "bit": test.bit,
            "test_failed": test.sentence,
            "readings": 12 if test.name == "speed_high" else 0,
        }
        for test in QUALITY_TESTS
    ]
    assert document["health"]["diagnoses"] == {"good": 1, "no_data": 1}
    (broken,) = document["health"]["detectors"]
    assert (broken["external_id"], broken["diagnosis"]) == ("silent", "no_data")
