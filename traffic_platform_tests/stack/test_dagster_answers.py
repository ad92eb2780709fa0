"""Queries to Dagster's webserver: invalid or missing answers are reported, not raised."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from traffic_platform.stack.dagster import ask, location_error


def serve_once(answer: bytes) -> str:
    """Return the URL of a server that sends one answer."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-something else\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"data": null}',
    ],
)
def test_an_invalid_answer_counts_as_missing(answer: bytes) -> None:
    assert ask(serve_once(answer), "{ version }") is None
    assert location_error(serve_once(answer)) == "the webserver does not answer"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    url = serve_once(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"data": {"a": "b"}}')
    assert ask(url, "{ a }") == {"a": "b"}
