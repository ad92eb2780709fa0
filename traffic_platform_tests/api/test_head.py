"""HEAD answers like GET, and opens no connection for a stream or an export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import psycopg

from traffic_platform.api.app import create_app
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import served
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
FILLED = {"date": "2025-10-04", "id": "det-7"}
STREAM = "/api/traffic/stream"


def open_connections(owner: psycopg.Connection) -> int:
    """Return the number of database connections of streams and exports."""
    row = owner.execute(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name in ('traffic-api-shared', 'traffic-api-export')"
    ).fetchone()
    assert row is not None
    return row[0]


def test_head_is_get_without_a_body_on_every_route(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    settings = api_settings()
    add_sensor(owner, "det-7", road="I-205", milepost=1.5)
    add_readings(owner, "det-7", every(20, NOON, 50))
    with served(create_app(settings)) as running, httpx.Client(base_url=running.url) as client:
        paths = [path.format(**FILLED) for path in client.get("/openapi.json").json()["paths"]]
        exports = [path for path in paths if path.endswith((".csv", ".parquet"))]
        # Streams and exports first: their HEAD must leave no connection open.
        for path in (STREAM, *exports):
            assert client.head(path).status_code == 200
        assert (len(exports), open_connections(owner)) == (2, 0)
        wrong = "/api/traffic/historical/today"
        for path in {*paths, "/docs", "/openapi.json", "/metrics", wrong, "/nowhere"} - {STREAM}:
            got, head = client.get(path), client.head(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            ignored = {"transfer-encoding", "date"}
            if path in ("/metrics", "/api/traffic/current"):
                ignored |= {"content-length", "etag"}
            names = [set(answer.headers) - ignored for answer in (got, head)]
            assert names[0] == names[1], path
            for name in names[0]:
                assert head.headers[name] == got.headers[name], (path, name)
        page = client.head("/api/traffic/historical/2025-10-04")
        assert int(page.headers["content-length"]) > 1000
        known = client.head(page.url.path, headers={"If-None-Match": page.headers["etag"]})
        assert known.status_code == 304
        # On one connection: an unexpected body would have been read as the next answer.
        assert client.get("/health/live").json() == {"status": "alive"}
        refused = client.post("/api/sensors")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        counted = client.get("/metrics").text
        assert 'method="HEAD",route="/api/traffic/export/{date}.csv",status="200"' in counted
