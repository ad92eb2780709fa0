"""A proxy between an ingest run and PostgreSQL that fails at a chosen statement."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["cut_before", "cut_after", "dark"]


@dataclass
class Proxy:
    """A proxy that passes bytes until the client sends `word` for the `nth` time, then fails once.

    cut_before: the connection ends before the server receives the word. cut_after: the server
    receives it and answers, but the client never receives the answer. dark: until the proxy is
    closed nothing passes in either direction, and neither side learns that the other is cut off.
    """

    server_port: int
    word: bytes
    nth: int
    trouble: Trouble
    happened: threading.Event = field(default_factory=threading.Event)
    _closing: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        """Port for clients."""
        return self._listener.getsockname()[1]

    def through(self, url: str) -> str:
        """Return a libpq URI of the server that passes through this proxy."""
        head, _, database = url.rpartition("/")
        return f"{head.rpartition(':')[0]}:{self.port}/{database}"

    @classmethod
    @contextlib.contextmanager
    def running(cls, server_port: int, word: bytes, nth: int, trouble: Trouble) -> Generator[Proxy]:
        """Run a proxy until the end of the block."""
        proxy = cls(server_port, word, nth, trouble)
        accepting = threading.Thread(target=proxy._accept)
        accepting.start()
        try:
            yield proxy
        finally:
            proxy._closing.set()
            accepting.join()
            for thread in proxy._threads:
                thread.join()
            proxy._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            if select.select([self._listener], [], [], 0.1)[0]:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,))
                thread.start()
                self._threads.append(thread)

    def _serve(self, client: socket.socket) -> None:
        # When one side closes its connection, the other side's connection ends too.
        address = ("127.0.0.1", self.server_port)
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(address) as server,
        ):
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        while not self._closing.is_set():
            for readable in select.select([client, server], [], [], 0.1)[0]:
                data = readable.recv(1 << 16)
                if not data:
                    return
                if readable is server:
                    client.sendall(data)
                elif self._is_due(data):
                    self._make_trouble(server, data)
                    return
                else:
                    server.sendall(data)

    def _is_due(self, data: bytes) -> bool:
        self.nth -= data.count(self.word)
        return not self.happened.is_set() and self.nth <= 0

    def _make_trouble(self, server: socket.socket, data: bytes) -> None:
        if self.trouble == "cut_after":
            server.sendall(data)
            server.recv(1 << 16)
        self.happened.set()
        if self.trouble == "dark":
            self._closing.wait()
