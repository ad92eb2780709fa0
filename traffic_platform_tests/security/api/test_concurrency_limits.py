"""Limits of open event streams and exports, and their release when a client disconnects."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
import uvicorn

from traffic_platform.api import serve as serving
from traffic_platform.api.app import create_app
from traffic_platform.api.security import key_store
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every
from traffic_platform_tests.security.api.conftest import Serve, Server, wait_for

HOST = "traffic.example"
STREAM = "/api/traffic/stream"
EXPORT = "/api/traffic/export/2025-10-04.csv"


@pytest.fixture(scope="module")
def server(serve: Serve) -> Server:
    """A server with low limits behind a trusted proxy, with one large date."""
    server = serve(
        "127.0.0.1",
        TRAFFIC_API_KEYS_REQUIRED="always",
        TRAFFIC_API_TRUSTED_PROXIES="127.0.0.1",
        TRAFFIC_API_ALLOWED_HOSTS=HOST,
        TRAFFIC_API_STREAMS_PER_KEY="2",
        TRAFFIC_API_STREAMS_PER_ADDRESS="3",
        TRAFFIC_API_STREAMS="4",
        TRAFFIC_API_EXPORTS_PER_KEY="3",
    )
    with psycopg.connect(server.settings.owning_url(), autocommit=True) as owner:
        add_sensor(owner, "s")
        # More than the buffers of a connection hold.
        add_readings(owner, "s", every(1, datetime(2025, 10, 4, tzinfo=UTC), 80_000))
    return server


def client(server: Server, key: str, address: str = "203.0.113.9") -> httpx.Client:
    return server.client(key, Host=HOST, **{"X-Forwarded-For": address})


def samples(text: str, name: str) -> dict[str, float]:
    """Return the samples of a metric by their labels."""
    found = (line.rpartition(" ") for line in text.splitlines() if line.startswith(f"{name}{{"))
    return {labels.removeprefix(name): float(value) for labels, _, value in found}


def open_now(asked: httpx.Client) -> dict[str, int]:
    """Return the number of open responses by kind."""
    found = samples(asked.get("/metrics").text, "traffic_api_open_connections")
    return {kind: int(found[f'{{kind="{kind}"}}']) for kind in ("events", "export")}


def test_streams_are_limited_by_key_by_address_and_in_total(server: Server) -> None:
    (_, one), (_, two), (_, three) = (server.key() for _ in range(3))
    with ExitStack() as stack:

        def ask(key: str, address: str) -> httpx.Response:
            asked = stack.enter_context(client(server, key, address))
            return stack.enter_context(asked.stream("GET", STREAM))

        def refused(key: str, address: str) -> str:
            answer = ask(key, address)
            assert answer.status_code == 429
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            answer.read()
            return answer.json()["detail"]

        last = [ask(one, "203.0.113.1") for _ in range(2)][-1]
        assert "event streams of this key are open" in refused(one, "203.0.113.2")
        ask(two, "203.0.113.1")
        assert "of this address are open" in refused(three, "203.0.113.1")
        ask(two, "203.0.113.2")
        assert "Too many event streams are open" in refused(three, "203.0.113.3")
        # Other requests are served, and HEAD of a stream does not count.
        assert client(server, three).head(STREAM).status_code == 200
        asked = client(server, three)
        assert open_now(asked) == {"events": 4, "export": 0}
        by_limit = samples(asked.get("/metrics").text, "traffic_api_open_refusals_total")
        assert by_limit == {
            f'{{kind="events",limit="{limit}"}}': 1 for limit in ("key", "address", "all")
        }
        last.close()
        wait_for(lambda: open_now(asked)["events"] == 3)
        assert ask(three, "203.0.113.3").status_code == 200
    wait_for(lambda: open_now(client(server, three))["events"] == 0)


def begin(port: int, path: str, key: str = "") -> socket.socket:
    """Return the socket of a client that sent a request and reads nothing."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    host = HOST if key else "127.0.0.1"
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\n\r\n".encode())
    return made


def reset(client: socket.socket) -> None:
    """Reset the connection, as the kernel does for a killed process with unread data."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_response_stops_counting_when_its_client_disconnects(server: Server) -> None:
    (_, reads), (made, key) = server.key(), server.key("read", "export")
    asked = client(server, reads)
    listeners = [begin(server.port, STREAM, key) for _ in range(2)]
    wait_for(lambda: open_now(asked)["events"] == 2)
    listeners[0].close()
    reset(listeners[1])
    wait_for(lambda: open_now(asked)["events"] == 0)
    # Two exports run unread, one waits for a connection, and one is over the limit.
    files = [begin(server.port, EXPORT, key) for _ in range(3)]
    wait_for(lambda: open_now(asked)["export"] == 3)
    full = client(server, key).get(EXPORT)
    assert full.status_code == 429
    assert "exports of this key are open" in full.json()["detail"]
    files[2].close()
    reset(files[1])
    files[0].close()
    wait_for(lambda: open_now(asked)["export"] == 0)
    # The open responses of a key end when it is revoked.
    opened = [begin(server.port, path, key) for path in (STREAM, EXPORT)]
    wait_for(lambda: open_now(asked) == {"events": 1, "export": 1})
    key_store.revoke(server.settings, str(made.key_id))
    wait_for(lambda: open_now(asked) == {"events": 0, "export": 0})
    for each in opened:
        each.close()


@contextmanager
def running(server: serving.Server) -> Iterator[int]:
    """Yield the port of a server that runs until the block ends."""
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started)
        listener = server.servers[0].sockets[0]
        # It listens before it sets the option, which only later connections inherit.
        wait_for(lambda: listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 0)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)


def test_a_client_that_stops_reading_is_disconnected(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that vanished is disconnected too: neither acknowledges the sent data."""
    monkeypatch.setattr(serving, "_SILENT_SECONDS", 1)
    app = create_app(server.settings)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    with running(serving.Server(config)) as port, begin(port, EXPORT):
        asked = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        wait_for(lambda: open_now(asked)["export"] == 1)
        wait_for(lambda: open_now(asked)["export"] == 0)
