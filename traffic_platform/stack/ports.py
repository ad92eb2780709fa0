"""TCP ports of 127.0.0.1 for the services of one stack.

A free port found by trying is not ours yet: between the trial and the service's own bind another
stack may find it too. So a stack first reserves the number, by binding a socket of the abstract
namespace whose name holds it. Such a name exists once in the network namespace, like the port
itself, and vanishes with the process that holds it.

The number must not be given away by the system either: any program's outgoing connection may get it
as its own end, and the service that comes a moment later, or is started again, finds it in use. So
the stack binds the port, too, with SO_REUSEADDR and without listening: Linux then gives it to no
connection, and lets a service that sets SO_REUSEADDR, as all servers do, bind and listen beside it.

Both are Linux's ways. Elsewhere a service that lost its port says so.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path

from traffic_platform.stack.errors import StackError

_ATTEMPTS = 200


class Ports:
    """The ports of one stack, reserved until `close` or the end of the process.

    Ports are remembered in `file`: a restart gets the same ones while they are free and the first
    port to try has not changed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: list[socket.socket] = []
        self._chosen: dict[str, dict[str, int]] = {}

    def reserve(self, service: str, first: int) -> int:
        """The port of `service`: the remembered one, else the first free one from `first` on.

        Raises StackError when there is none.
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
            f"{service}: no free port from {first} to {candidates[-1]};"
            f" set TRAFFIC_{service.partition('-')[0].upper()}_PORT to another one."
        )

    def remember(self) -> None:
        """Write the chosen ports down for the next start."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({**self._remembered(), **self._chosen}, indent=2))
        new.replace(self._file)

    def close(self) -> None:
        """Give the numbers back."""
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
    """Whether nobody listens on `port` at 127.0.0.1 (connections in TIME_WAIT do not matter)."""
    try:
        with _bound(port) as probe:
            probe.listen(1)
    except OSError:
        return False
    return True


def _bound(port: int) -> socket.socket:
    """A socket at `port`, which others with SO_REUSEADDR may have too. Raises OSError."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound
