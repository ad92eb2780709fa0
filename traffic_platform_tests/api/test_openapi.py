"""The OpenAPI document, the API's conformance to it (schemathesis), and Swagger UI."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from fastapi.testclient import TestClient

from traffic_platform.api.app import create_app
from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.rollups import recompute
from traffic_platform.settings import Settings
from traffic_platform_tests.api.conftest import served
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def test_schemathesis_finds_nothing(
    api_settings: Callable[..., Settings], owner: psycopg.Connection
) -> None:
    """The server has readings of today and of 2025-10-04."""
    settings = api_settings(kafka_bootstrap_servers="nowhere:9092")
    for name in ("0", "det-7"):
        add_sensor(owner, name, road="I-205", milepost=1.5, length_mi=0.5, interval_s=20)
        add_readings(owner, name, every(20, NOON, 50))
        add_readings(owner, name, every(20, datetime.now(UTC) - timedelta(minutes=4), 3))
    recompute(owner, [NOON.date(), datetime.now(UTC).date()])
    compute_health(settings, NOON.date())
    with served(create_app(settings)) as running:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={Path(__file__).with_name('schemathesis.toml')}",
            "run",
            f"{running.url}/openapi.json",
            # An endless response; test_stream.py covers it.
            "--exclude-path=/api/traffic/stream",
            "--max-examples=12",
            "--generation-deterministic",
            "--suppress-health-check=all",
            "--no-color",
        ]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
            cwd=settings.home.parent,
        )
    assert done.returncode == 0, done.stdout


def test_everything_is_described(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] >= "3.1"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (path, parameter["name"])
            errors = {status for status in operation["responses"] if status >= "400"}
            assert path == "/health/live" or "503" in errors, path
            for status in errors:
                (media_type,) = operation["responses"][status]["content"]
                assert media_type == "application/problem+json"
    for name, schema_ in document["components"]["schemas"].items():
        assert schema_["description"], name
        for field, described in schema_["properties"].items():
            assert {"description", "$ref"} & set(described), (name, field)


def test_numbers_and_dates_have_a_described_form(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    found: dict[str, list[dict[str, Any]]] = {}
    for operations in document["paths"].values():
        for parameter in operations["get"].get("parameters", ()):
            found.setdefault(parameter["name"], []).append(parameter["schema"])
    assert len(found["date"]) == 4
    for schema_ in found["date"]:
        assert schema_["pattern"] == "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    for schema_ in (*found["page"], *found["size"]):
        assert (schema_["type"], schema_["minimum"], "maximum" in schema_) == ("integer", 1, True)


def test_every_problem_matches_the_description(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    wanted: dict[str, Any] = document["components"]["schemas"]["Problem"]["properties"]
    for method, path, status, title in (
        ("GET", "/nowhere", 404, "Not Found"),
        ("POST", "/api/sensors", 405, "Method Not Allowed"),
        ("GET", "/api/sensors?size=x", 422, "Unprocessable Content"),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.json()["title"] == title
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) <= set(wanted)


def test_swagger_ui_loads_nothing_from_another_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "://" not in page.text
    links = re.findall(r"""(?:src|href|url)(?:=|: )["']([^"']+)""", page.text)
    assert len(links) == 4
    for link in links:
        assert link.startswith("/")
        assert client.get(link).status_code == 200, link
    policy = page.headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    missing = client.get("/docs/files/nothing.js")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
