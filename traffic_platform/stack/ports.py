"""TCP ports of 127.0.0.1 for the services of one stack.

Two things can happen to a free port before a service binds it:

- Another stack finds the same port. So a stack first reserves the number: it binds a socket in the
  abstract namespace whose name contains it. Such a name exists once in the network namespace, like
  the port, and ends with its process.
- The system gives the port to an outgoing connection of any program. So the stack also binds the
  port with SO_REUSEADDR, without listening. Linux then gives it to no connection, and a service
  that sets SO_REUSEADDR, as all servers do, can bind and listen.

Both ways exist on Linux only. Elsewhere a service that lost its port fails with an error.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path

from traffic_platform.atomic_file import replace_file
from traffic_platform.stack.errors import StackError

_ATTEMPTS = 200


class Ports:
    """Ports of one stack, reserved until `close` or the end of the process.

    `file` stores them. A restart gets the same ports if they are free and the first port to try
    has not changed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: list[socket.socket] = []
        self._chosen: dict[str, dict[str, int]] = {}

    def reserve(self, service: str, first: int) -> int:
        """Return the stored port of `service`, else the first free port from `first` on.

        Raises StackError when no port is free.
        """
        remembered = self._remembered().get(service, {})
        candidates = list(range(first, min(first + _ATTEMPTS, 65536)))
        if remembered.get("first") == first:
            candidates.insert(0, remembered["port"])
        for port in candidates:
            if self._take(port):
                self._chosen[service] = {"first": first, "port": port}
                return port
        raise StackError(
            f"{service}: no port from {first} to {candidates[-1]} is free."
            f" Set TRAFFIC_{service.partition('-')[0].upper()}_PORT to another one."
        )

    def remember(self) -> None:
        """Store the chosen ports for the next start."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._file, json.dumps({**self._remembered(), **self._chosen}, indent=2))

    def close(self) -> None:
        """Release the ports."""
        for held in self._held:
            held.close()
        self._held.clear()

    def _remembered(self) -> dict[str, dict[str, int]]:
        try:
            return json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def _take(self, port: int) -> bool:
        if sys.platform != "linux":
            return is_free(port)
        with contextlib.ExitStack() as holders:
            try:
                name = holders.enter_context(socket.socket(socket.AF_UNIX))
                name.bind(f"\0traffic-platform-port-{port}")
                number = holders.enter_context(_bound(port))
            except OSError:
                return False
            if not is_free(port):
                return False
            self._held += [name, number]
            holders.pop_all()
        return True


def is_free(port: int) -> bool:
    """Return whether no process listens on `port` at 127.0.0.1. TIME_WAIT does not matter."""
    try:
        with _bound(port) as probe:
            probe.listen(1)
    except OSError:
        return False
    return True


def _bound(port: int) -> socket.socket:
    """Return a socket bound to `port` with SO_REUSEADDR. Raises OSError."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound
