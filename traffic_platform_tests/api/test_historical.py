"""Pages of the readings of a date, and the health routes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from traffic_platform.api import database
from traffic_platform.api.app import create_app
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.maintenance.index_closed_months import index_closed_months
from traffic_platform.rollups import recompute
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import LOOPBACK
from traffic_platform_tests.rollups.readings import Reading, add_readings, add_sensor, every

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
DAY = "/api/traffic/historical/2025-10-04"


def test_ten_readings_are_ten_items_of_one_page(
    client: TestClient, owner: psycopg.Connection
) -> None:
    add_sensor(owner, "det-7")
    add_readings(owner, "det-7", every(20, NOON, 9, speed=54.2, volume=1260))
    half = NOON + timedelta(seconds=200.5)
    add_readings(owner, "det-7", [Reading(half, volume=None, occupancy=None, speed=None)])
    recompute(owner, [NOON.date()])
    answer = client.get(DAY, params={"page": 1, "size": 10})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    items = document.pop("items")
    assert document == {"total": 10, "page": 1, "pages": 1}
    stored = owner.execute(
        'select id::text from traffic.traffic_readings order by "timestamp"'
    ).fetchall()
    assert [item["id"] for item in items] == [row[0] for row in stored]
    assert {key: value for key, value in items[0].items() if key != "id"} == {
        "sensor_id": str(sensor_uuid("det-7")),
        "timestamp": "2025-10-04T12:00:00Z",
        "speed": 54.2,
        "volume": 1260,
        "occupancy": 5.0,
        "quality_score": 1.0,
    }
    assert [items[9][name] for name in ("timestamp", "speed", "volume", "occupancy")] == [
        "2025-10-04T12:03:20.5Z",
        None,
        None,
        None,
    ]


def test_pages_are_the_same_after_months_are_indexed(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    """The date lies in two months (UTC); neither, the first, then both are indexed."""
    settings = api_settings("America/Los_Angeles")
    ends = datetime(2025, 10, 31, 23, 56, tzinfo=UTC)
    for number in range(7):
        add_sensor(owner, f"s{number}")
        add_readings(owner, f"s{number}", every(20 if number % 2 else 30, ends, 25))
    recompute(owner, [date(2025, 10, 31)])  # readings without counts use another statement
    with TestClient(create_app(settings), base_url=LOOPBACK) as client:

        def pages(size: int) -> list[dict[str, Any]]:
            path = "/api/traffic/historical/2025-10-31"
            first = client.get(path, params={"size": size}).json()
            rest = range(2, first["pages"] + 1)
            asked = [{"size": size, "page": page} for page in rest]
            return [first, *(client.get(path, params=page).json() for page in asked)]

        before = [pages(size) for size in (3, 50)]
        assert [item for page in before[0] for item in page["items"]] == [
            item for page in before[1] for item in page["items"]
        ]
        assert before[1][0]["total"] == 175
        for today in (datetime(2025, 11, 20, tzinfo=UTC), datetime(2025, 12, 20, tzinfo=UTC)):
            assert index_closed_months(settings.owning_url(), today, lambda: False)
            assert [pages(size) for size in (3, 50)] == before


def test_a_date_without_readings_has_an_empty_page(client: TestClient) -> None:
    for day in ("2025-10-05", "0001-01-01", "9999-12-31"):
        answer = client.get(f"/api/traffic/historical/{day}")
        assert (answer.status_code, answer.json()) == (
            200,
            {"items": [], "total": 0, "page": 1, "pages": 0},
        )


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/api/traffic/historical/yesterday", 422, "date"),
        ("/api/traffic/historical/2025-02-30", 422, "date"),
        ("/api/traffic/historical/20251004", 422, "date"),
        ("/api/traffic/historical/1759536000", 422, "date"),
        ("/api/traffic/historical/2025-W40-6", 422, "date"),
        ("/api/traffic/historical/2025-1-04T", 422, "date"),
        ("/api/traffic/historical/٢025-10-04", 422, "date"),
        ("/api/quality/2025-W40-6", 422, "date"),
        ("/api/traffic/export/2025-W40-6.csv", 422, "date"),
        ("/api/traffic/export/2025-W40-6.parquet", 422, "date"),
        (f"{DAY}?page=1_0", 422, "page"),
        (f"{DAY}?page=1.0", 422, "page"),
        (f"{DAY}?page=%D9%A1", 422, "page"),
        (f"{DAY}?size=%2B5", 422, "size"),
        (f"{DAY}?size=+5", 422, "size"),
        ("/api/sensors?size=1_0", 422, "size"),
        ("/api/sensors?page=1.0", 422, "page"),
        (f"{DAY}?page=0", 422, "page"),
        (f"{DAY}?page=x", 422, "page"),
        (f"{DAY}?page=99999999999999999999", 422, "page"),
        (f"{DAY}?size=0", 422, "size"),
        (f"{DAY}?size=10001", 422, "size"),
        (f"{DAY}?sensor_id=", 422, "sensor_id"),
        (f"{DAY}?sensor_id=a%00b", 422, "sensor_id"),
        (f"{DAY}?sensor_id=00000000-0000-4000-8000-000000000000", 404, "sensor_id"),
        (f"{DAY}?sensor_id=nobody", 404, "sensor_id"),
    ],
)
def test_a_problem_names_the_invalid_field(
    client: TestClient, path: str, status: int, field: str
) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["detail"]
    assert problem["instance"] == path.partition("?")[0]


def test_pages_follow_one_another_without_gap_or_repeat(
    client: TestClient, owner: psycopg.Connection
) -> None:
    """Many readings share a time, and the order of the sensors is not that of their names."""
    for number in range(7):
        add_sensor(owner, f"s{number}")
        add_readings(owner, f"s{number}", every(1.5 + 1.5 * (number % 2), NOON, 100))
    recompute(owner, [NOON.date()])
    wanted = owner.execute(
        'select id::text from traffic.traffic_readings order by "timestamp", sensor_id'
    ).fetchall()
    for size in (1, 3, 50, 333, 10_000):
        pages = range(1, -(-700 // size) + 1)
        some = pages if size > 3 else [1, 2, 101, len(pages)]
        for page in some:
            document = client.get(DAY, params={"page": page, "size": size}).json()
            assert (document["total"], document["pages"]) == (700, len(pages))
            found = [item["id"] for item in document["items"]]
            first = (page - 1) * size
            assert found == [row[0] for row in wanted[first : first + size]]
    assert client.get(DAY, params={"page": 71, "size": 10}).json()["items"] == []


def test_a_sensor_is_found_by_uuid_or_external_id(
    client: TestClient, owner: psycopg.Connection
) -> None:
    for name in ("one", "other"):
        add_sensor(owner, name)
        add_readings(owner, name, every(300, NOON, 5))
    for name in ("one", str(sensor_uuid("one")), str(sensor_uuid("one")).upper()):
        document = client.get(DAY, params={"sensor_id": name, "size": 2, "page": 3}).json()
        assert (document["total"], document["pages"]) == (5, 3)
        assert [item["timestamp"] for item in document["items"]] == ["2025-10-04T12:20:00Z"]
        assert {item["sensor_id"] for item in document["items"]} == {str(sensor_uuid("one"))}


def test_readings_without_counts_are_found(client: TestClient, owner: psycopg.Connection) -> None:
    add_sensor(owner, "s")
    add_readings(owner, "s", every(300, NOON, 5))
    document = client.get(DAY, params={"size": 2, "page": 3}).json()
    assert (document["total"], len(document["items"])) == (5, 1)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("America/Los_Angeles", date(2025, 11, 2), "2025-11-02T07:00", "2025-11-03T08:00"),
        ("Asia/Kathmandu", date(2025, 10, 4), "2025-10-03T18:15", "2025-10-04T18:15"),
    ],
)
def test_a_date_is_a_day_in_the_platforms_time_zone(
    api_settings: Callable[..., Settings],
    owner: psycopg.Connection,
    zone: str,
    day: date,
    begins: str,
    ends: str,
) -> None:
    lower, upper = (datetime.fromisoformat(f"{text}:00+00:00") for text in (begins, ends))
    before = timedelta(microseconds=1)
    add_sensor(owner, "s")
    add_readings(owner, "s", [Reading(at) for at in (lower - before, lower, upper - before, upper)])
    with TestClient(create_app(api_settings(zone)), base_url=LOOPBACK) as client:
        recompute(owner, [day + timedelta(days=number) for number in (-1, 0, 1)])
        document = client.get(f"/api/traffic/historical/{day}").json()
    assert document["total"] == 2
    assert [item["timestamp"] for item in document["items"]] == [
        f"{begins}:00Z",
        (upper - before).isoformat().replace("+00:00", "Z"),
    ]


def test_unchanged_content_is_not_sent_again(client: TestClient, owner: psycopg.Connection) -> None:
    add_sensor(owner, "s")
    add_readings(owner, "s", every(20, NOON, 500))
    path = f"{DAY}?size=500"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (
        None,
        "gzip",
    )
    for accepted, coding in (
        ("*, gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("br, *;q=0.5", "gzip"),
        ("*;q=0, GZIP;q=0.1", "gzip"),
    ):
        other = client.get(path, headers={"accept-encoding": accepted})
        assert other.headers.get("content-encoding") == coding, accepted
    assert plain.content == packed.content
    assert plain.headers["etag"] == packed.headers["etag"]
    again = client.get(path, headers={"if-none-match": f'"x", {plain.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    add_readings(owner, "s", [Reading(NOON + timedelta(hours=5))])
    assert client.get(path, headers={"if-none-match": plain.headers["etag"]}).status_code == 200


def test_readiness_depends_on_the_database(
    client: TestClient, api_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.new_pool, "__defaults__", (0.5,))  # seconds to wait, by default 5
    assert client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    unreachable = SecretStr("postgresql://u:secret@127.0.0.1:1/d")
    settings = api_settings().model_copy(update={"read_database_url": unreachable})
    with TestClient(create_app(settings), base_url=LOOPBACK) as other:
        with ThreadPoolExecutor() as both:
            answers = list(both.map(other.get, ("/health/ready", DAY)))
        for answer in answers:
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert "secret" not in answer.text
        assert other.get("/health/live").status_code == 200
