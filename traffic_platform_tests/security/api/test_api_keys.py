"""A server on a public address: every request needs a valid key."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from psycopg import errors
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from traffic_platform.api.security import key_store
from traffic_platform.api.security.secret import hash_of, new_key
from traffic_platform.postgres.connections import connect as connect_database
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.security.api.conftest import SOON, Serve, Server, wait_for

SOCKETS = ("/test/socket", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket", "/nowhere")
PATHS = (
    "/", "/docs", "/redoc", "/openapi.json", "/metrics", "/nowhere", "//", "/health", "/health/",
    "/health/../metrics", "/health/live/", "/HEALTH/live", "/test/events", "/%2fmetrics",
    "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(serve: Serve) -> Server:
    """A server bound to every address of this machine."""
    return serve("0.0.0.0")


def socket_url(server: Server, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


def expect_problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document.keys() >= {"type", "title", "detail", "instance"}
    return document


def test_no_route_but_health_answers_without_a_key(server: Server) -> None:
    assert "every request except /health/ needs a key" in server.log.read_text()
    first = server.client().get("/docs")
    assert "A key is needed" in str(expect_problem(first, 401)["detail"])
    challenges = first.headers.get_list("www-authenticate")
    assert [each.partition(" ")[0] for each in challenges] == ["Bearer", "Basic"]
    _, key = server.key()
    documented = server.client(key).get("/openapi.json").json()["paths"]
    filled = {path.replace("{", "").replace("}", "") for path in documented}
    with server.client() as client:
        for path in {*PATHS, *filled}:
            answers = [client.request(method, path) for method in ("GET", "POST", "OPTIONS")]
            if path == "/health/live":
                assert answers[0].status_code == 200
            elif path != "/health/ready":
                for answer in answers:
                    assert answer.status_code in (401, 429), path
                    assert "traffic_platform" not in answer.text
    with server.client() as client:
        assert client.head("/docs").status_code in (401, 429)
    for path in SOCKETS:
        with pytest.raises(InvalidStatus) as refused, connect(socket_url(server, path)):
            pass
        assert refused.value.response.status_code in (401, 429)


def test_a_key_works_as_bearer_header_and_basic(server: Server) -> None:
    _, key = server.key()
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    bearer = {"Authorization": f"bearer {key}"}
    for headers in (bearer, {"X-API-Key": key}, {"Authorization": f"Basic {basic}"}):
        with server.client(**headers) as client:
            described = client.get("/openapi.json")
            assert described.status_code == 200
            assert "private" in described.headers["cache-control"]
            assert client.get("/").status_code == 200
        with connect(socket_url(server, "/test/socket"), additional_headers=headers) as socket:
            socket.send("hello")
            assert socket.recv(SOON) == "hello"


def test_invalid_keys_are_rejected(server: Server) -> None:
    made, key = server.key()
    soon, gone = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) - timedelta(hours=1)
    expired, old_key = key_store.create(server.settings, "expired", ["read"], soon)
    with psycopg.connect(server.settings.owning_url()) as owner:
        owner.execute(
            "update traffic.api_keys set created_at = %s, expires_at = %s where key_id = %s",
            [gone - timedelta(days=1), gone, expired.key_id],
        )
    hashed = (hash_of(key) or b"").hex()
    invalid = key[:-1], key + "0", key.upper(), new_key(), old_key, hashed, "", "é" * 60, "x" * 8000
    for text in invalid:
        answer = httpx.get(
            f"{server.url}/docs", headers=[(b"X-API-Key", text.encode())], trust_env=False
        )
        # After too many invalid keys, the address gets 429 instead.
        expect_problem(answer, 429 if answer.status_code == 429 else 401)
    for text in ("Basic", "Basic !!", "Basic eA==", "Bearer", f"Digest {key}", f"Basic {key}"):
        assert server.client(Authorization=text).get("/docs").status_code in (401, 429)
    assert server.client(key).get(f"/docs?key={key}").status_code == 200
    assert server.client().get(f"/docs?key={key}").status_code in (401, 429)
    assert (made.state, expired.name) == ("valid", "expired")


def test_a_scope_allows_only_its_own_paths(server: Server) -> None:
    (_, reads), (_, exports), (_, admin) = (
        server.key("read"), server.key("export"), server.key("admin"),
    )  # fmt: skip
    export = "/api/traffic/export/test"
    assert server.client(exports).get(export).text == "rows"
    assert server.client(reads).get("/docs").status_code == 200
    for key, path, missing in (
        (reads, export, "export"), (reads, "/api/traffic/%65xport/test", "export"),
        (exports, "/docs", "read"), (admin, "/docs", "read"), (admin, export, "export"),
    ):  # fmt: skip
        answer = server.client(key).get(path)
        assert repr(missing) in str(expect_problem(answer, 403)["detail"])
        assert f'scope="{missing}"' in answer.headers["www-authenticate"]


def test_a_revoked_key_stops_and_its_open_responses_end(server: Server) -> None:
    made, key = server.key()
    other, _ = server.key()
    headers = {"X-API-Key": key}
    with (
        server.client(key) as client,
        client.stream("GET", "/test/events") as events,
        client.stream("GET", "/test/download") as download,
        connect(socket_url(server, "/test/socket"), additional_headers=headers) as socket,
    ):
        event, part = events.iter_text(), download.iter_text()
        assert (next(event), next(part)) == ("data: 1\n\n", "a,b\n")
        key_store.revoke(server.settings, other.name)
        assert client.get("/docs").status_code == 200
        key_store.revoke(server.settings, str(made.key_id))
        # A stream ends as complete, a file as incomplete.
        assert list(event) == []
        with pytest.raises(httpx.RemoteProtocolError):
            list(part)
        with pytest.raises(ConnectionClosed):
            socket.recv(SOON)
        assert socket.close_code == 1008
        wait_for(lambda: client.get("/docs").status_code in (401, 429))


def test_a_thousand_wrong_keys_do_not_block_a_valid_one(server: Server) -> None:
    _, key = server.key()
    done = threading.Event()
    seen: list[int] = []

    def keep_asking() -> None:
        with server.client(key) as client:
            while not done.is_set():
                seen.append(client.get("/openapi.json").status_code)

    with ThreadPoolExecutor(9) as pool:
        asking = pool.submit(keep_asking)
        with server.client() as wrong:
            tries = [{"X-API-Key": new_key()} for _ in range(1000)]
            answers = list(pool.map(lambda headers: wrong.get("/docs", headers=headers), tries))
        # A new key, from the address that sent the wrong ones.
        _, fresh = server.key()
        assert server.client(fresh).get("/docs").status_code == 200
        done.set()
        asking.result(SOON)
    assert set(seen) == {200}
    assert {answer.status_code for answer in answers} <= {401, 429}
    limited = next(answer for answer in answers if answer.status_code == 429)
    expect_problem(limited, 429)
    assert int(limited.headers["retry-after"]) >= 1
    assert limited.headers["ratelimit-policy"] == '"wrong-keys";q=60;w=60'
    assert limited.headers["ratelimit"].startswith('"wrong-keys";r=0;t=')


def test_only_the_owner_role_sees_a_key_or_its_hash(
    server: Server, postgres: PostgresServer
) -> None:
    made, key = server.key("read", "export")
    owner = server.settings.owning_url()
    with psycopg.connect(owner) as connection:
        rows = connection.execute("select k::text from traffic.api_keys k").fetchall()
        database = connection.info.dbname
    assert all(key not in row and key[-49:] not in row for (row,) in rows)
    digest = hash_of(key)
    for role in ("traffic_read", "traffic_ingest"):
        with connect_database(
            postgres.service.url(role, database), application_name="test", autocommit=True
        ) as connection:
            for query in (
                "select 1 from traffic.api_keys",
                "insert into traffic.api_keys (name, hash, scopes) values ('x', '', '{}')",
                "update traffic.api_keys set revoked_at = null",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(query)  # pyright: ignore[reportArgumentType]
            found = "select key_id, scopes from traffic.find_api_keys(%s)"
            if role == "traffic_read":
                assert connection.execute(found, [[digest, b"\0" * 32]]).fetchall() == [
                    (made.key_id, ["export", "read"])
                ]
            else:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(found, [[digest]])
