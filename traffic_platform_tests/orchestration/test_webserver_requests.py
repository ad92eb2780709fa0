"""Dagster's webserver as the stack starts it, and requests that a foreign page can cause."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from traffic_platform.settings import Settings
from traffic_platform.stack import dagster as dagster_services
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.orchestration.conftest import ROOT

ASSET = AssetKey("of_the_operator")
WIPE = """mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["of_the_operator"]}}])
    { __typename } }"""
FOREIGN = "https://page.example"
JSON = {"Content-Type": "application/json"}


class Webserver(dagster_services.Webserver):
    """The webserver without a code server, which it needs only to show definitions."""

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.instance.url}/server_info", timeout=5) as answer:
                return answer.status == HTTPStatus.OK
        except OSError:
            return False


@pytest.fixture
def url(
    instance: DagsterInstance, platform: Settings, server_ports: Ports, tmp_path: Path
) -> Iterator[str]:
    """URL of a running webserver of the instance, which holds a materialization of ASSET."""
    instance.report_runless_asset_event(AssetMaterialization(ASSET))
    ports = [server_ports.reserve(name, 23050) for name in ("dagster", "dagster-code")]
    served = dagster_services.DagsterInstance(tmp_path / "served", ROOT, *ports)
    served.write_files()
    process = Standalone(Webserver(served), tmp_path / "logs")
    process.start()
    yield served.url
    process.stop()


def is_there(instance: DagsterInstance) -> bool:
    return instance.get_latest_materialization_event(ASSET) is not None


def client(url: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60)


def test_a_foreign_page_changes_nothing_and_the_command_line_may(
    url: str, instance: DagsterInstance
) -> None:
    body = json.dumps({"query": WIPE})
    own, foreign = client(url), client(url, Origin=FOREIGN)
    refused = [
        # Images and links send no Origin.
        own.get("/graphql", params={"query": WIPE}),
        own.head("/graphql", params={"query": WIPE}),
        # A browser sends these without asking the server first.
        own.post("/graphql", params={"query": WIPE}),
        *(
            own.post("/graphql", params={"query": WIPE}, headers={"Content-Type": kind})
            for kind in ("text/plain", "application/x-www-form-urlencoded")
        ),
        *(
            own.post("/graphql", content=body, headers={"Content-Type": kind})
            for kind in ("text/plain", "text/plain; also=application/json", "application/graphql")
        ),
        own.post("/report_asset_materialization/of_the_page"),
        foreign.post("/graphql", content=body, headers=JSON),
        client(url, Host="page.example").post("/graphql", content=body, headers=JSON),
        client(url, Host="127.0.0.1.page.example", Origin="http://127.0.0.1.page.example").post(
            "/graphql", content=body, headers=JSON
        ),
    ]
    assert [answer.status_code for answer in refused] == [405, 405, *[415] * 7, 403, 421, 421]
    assert is_there(instance)
    assert instance.get_latest_materialization_event(AssetKey("of_the_page")) is None
    assert own.post("/graphql", content=body, headers=JSON).status_code == 200
    assert not is_there(instance)


def test_the_page_of_the_webserver_works_in_no_frame_and_with_its_own_origin(url: str) -> None:
    own = client(url, Origin=url)
    page = own.get("/runs")
    assert page.status_code == 200
    assert page.headers["x-frame-options"] == "DENY"
    assert "script-src" in page.headers["content-security-policy"]
    assert own.get("/graphql", headers={"Accept": "text/html"}).status_code == 200
    answer = own.post("/graphql", json={"query": "{ version }"})
    assert answer.json()["data"]["version"]


def test_a_foreign_page_opens_no_websocket(url: str) -> None:
    def open_socket(origin: str, host: str = url.removeprefix("http://")) -> ClientConnection:
        where = urlsplit(url)
        assert where.port is not None
        return connect(
            f"ws://{host}/graphql",
            sock=socket.create_connection(("127.0.0.1", where.port)),
            subprotocols=[Subprotocol("graphql-ws")],
            additional_headers={"Origin": origin},
            proxy=None,
        )

    with open_socket(url) as own:
        own.send(json.dumps({"type": "connection_init"}))
        assert json.loads(own.recv(60))["type"] == "connection_ack"
    for status, foreign in ((403, (FOREIGN,)), (421, ("http://page.example", "page.example"))):
        with pytest.raises(InvalidStatus) as refused:
            open_socket(*foreign)
        assert refused.value.response.status_code == status


def test_the_first_request_after_a_restart_of_the_database_is_answered(
    url: str, storage: psycopg.Connection
) -> None:
    runs = {"query": "{ runsOrError { ... on Runs { count } } assetsOrError { __typename } }"}
    assert client(url).post("/graphql", json=runs).status_code == 200
    storage.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    answer = client(url).post("/graphql", json=runs)
    assert (answer.status_code, answer.json().get("errors")) == (200, None)
