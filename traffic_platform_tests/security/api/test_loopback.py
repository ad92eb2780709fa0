"""A server on a loopback address: open to this machine only. Also settings and shutdown."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from traffic_platform.api.app import create_app
from traffic_platform.api.security.secret import new_key
from traffic_platform.settings import Settings
from traffic_platform_tests.security.api.conftest import SOON, Serve, Server, wait_for


@pytest.fixture(scope="module")
def server(serve: Serve) -> Server:
    """A server bound to 127.0.0.1, the default."""
    return serve("127.0.0.1")


def test_local_clients_need_no_key_and_have_no_limit(server: Server) -> None:
    assert "every user of this machine may read" in server.log.read_text()
    with server.client() as client:
        for path in ("/", "/openapi.json", "/api/traffic/export/test", "/health/live"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "ratelimit" not in answer.headers
    with connect(f"ws://localhost:{server.port}/test/socket", proxy=None) as opened:
        opened.send("hello")
        assert opened.recv(SOON) == "hello"


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host"]
)
def test_forwarded_requests_need_a_key(server: Server, header: str) -> None:
    _, key = server.key()
    assert server.client(**{header: "127.0.0.1"}).get("/docs").status_code == 401
    assert server.client(key, **{header: "127.0.0.1"}).get("/docs").status_code == 200


@pytest.mark.parametrize(
    "host", ["rebound.example", "127.0.0.1.rebound.example", "localhost.example:80", "10.0.0.1", ""]
)
def test_an_unknown_host_name_is_rejected(server: Server, host: str) -> None:
    answer = server.client(Host=host).get("/openapi.json")
    assert answer.status_code in (400, 421)
    assert "paths" not in answer.text
    with (
        pytest.raises(InvalidStatus),
        connect(f"ws://{host or 'x'}/test/socket", proxy=None, sock=_socket_to(server)),
    ):
        pass


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "file://"])
def test_pages_of_other_origins_are_rejected_also_by_websocket(server: Server, origin: str) -> None:
    polling = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    for path in ("/openapi.json", polling):
        answer = server.client(Origin=origin).get(path)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    for path in ("/test/socket", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"):
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(
                f"ws://127.0.0.1:{server.port}{path}",
                additional_headers={"Origin": origin},
                proxy=None,
            ),
        ):
            pass
        assert refused.value.response.status_code == 403
    own = server.client(Origin=server.url).get(polling)
    assert not [name for name in own.headers if name.startswith("access-control-")]


def test_every_response_has_the_security_headers(server: Server) -> None:
    answers = [
        server.client().get("/"), server.client().get("/health/live"),
        server.client(Host="x.example").get("/"),
    ]  # fmt: skip
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers


def test_limits_proxies_origins_and_host_names_are_settings(serve: Serve) -> None:
    server = serve(
        "127.0.0.1",
        TRAFFIC_API_KEYS_REQUIRED="always",
        TRAFFIC_API_KEY_REQUESTS_PER_MINUTE="3",
        TRAFFIC_API_ADDRESS_REQUESTS_PER_MINUTE="5",
        TRAFFIC_API_TRUSTED_PROXIES="127.0.0.1",
        TRAFFIC_API_ALLOWED_HOSTS="traffic.example",
        TRAFFIC_API_CORS_ORIGINS="https://page.example",
    )
    assert server.client(Host="traffic.example").get("/docs").status_code == 401
    assert server.client().get("/docs").status_code == 421

    def ask(key: str, address: str, **headers: str) -> httpx.Response:
        forwarded = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
        client = server.client(key, Host="traffic.example", **forwarded, **headers)
        return client.get("/openapi.json")

    (_, one), (_, two) = server.key(), server.key()
    first = [ask(one, "203.0.113.1") for _ in range(4)]
    assert [answer.status_code for answer in first] == [200, 200, 200, 429]
    assert first[0].headers["ratelimit"].startswith('"key";r=2;')
    assert first[0].headers["strict-transport-security"] == "max-age=31536000"
    assert first[3].headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert 1 <= int(first[3].headers["retry-after"]) <= 20
    assert first[3].json()["detail"] == "Too many requests of this key."
    # The address has sent four requests; rejected ones count too. Another address has its own
    # limit.
    assert [ask(two, "203.0.113.1").status_code for _ in range(2)] == [200, 429]
    assert ask(two, "203.0.113.2").status_code == 200

    _, key = server.key()
    allowed = ask(key, "203.0.113.3", Origin="https://page.example")
    assert allowed.headers["access-control-allow-origin"] == "https://page.example"
    assert ask(key, "203.0.113.3", Origin="https://evil.example").status_code == 403
    preflight = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "X-API-Key",
    }
    for origin, code in (("https://page.example", 200), ("https://evil.example", 400)):
        client = server.client(Host="traffic.example", Origin=origin, **preflight)
        assert client.options("/openapi.json").status_code == code


def test_a_terminated_server_finishes_requests_and_ends_streams(serve: Serve) -> None:
    server = serve("127.0.0.1")
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(server.client().get("/test/slow")))
    slow.start()
    wait_for((server.folder / "begun").exists)
    with server.client().stream("GET", "/test/events") as events:
        event = events.iter_text()
        assert next(event) == "data: 1\n\n"
        server.process.terminate()
        assert list(event) == []

    def refuses() -> bool:
        try:
            server.client().get("/health/live")
        except httpx.TransportError:
            return True
        return False

    wait_for(refuses)
    assert server.process.poll() is None
    (server.folder / "finish").touch()
    slow.join(SOON)
    assert [answer.text for answer in answers] == ["done"]
    server.process.wait(SOON)
    assert "Traceback" not in server.log.read_text()


def _socket_to(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port))


def test_during_a_database_outage_keys_get_503_instead_of_401() -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        database_url=nowhere,
        api_keys_required="always",
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        answer = client.get("/openapi.json", headers={"X-API-Key": new_key()})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        # A text that cannot be a key is rejected without the database.
        assert client.get("/openapi.json", headers={"X-API-Key": "x"}).status_code == 401
        assert client.get("/health/live").status_code == 200
