"""Limits of open event streams and exports, by key, by address and in total.

Rate limits do not bound the number of open responses. Each stream holds a socket and memory as long
as its client likes, and each export holds a database connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from starlette.types import Scope

Kind = Literal["events", "export"]
Limit = Literal["key", "address", "all"]

EXPORTS = "/api/traffic/export"
_STREAM = "/api/traffic/stream"


@dataclass(frozen=True)
class Caps:
    """Most open responses of one key, of one address and in total; 0 for no limit."""

    key: int
    address: int
    total: int


class ConcurrencyLimits:
    """The open responses of one kind, counted against their limits."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._open: Counter[tuple[Limit, str]] = Counter()

    @property
    def in_use(self) -> int:
        """Number of open responses."""
        return self._open["all", ""]

    @contextmanager
    def reserve(self, key_id: int | None, network: str) -> Generator[Limit | None]:
        """Count a response until the block ends; yield the limit that forbids it, or None."""
        owners: list[tuple[Limit, str, int]] = [
            ("address", network, self._caps.address),
            ("all", "", self._caps.total),
        ]
        if key_id is not None:
            owners.insert(0, ("key", str(key_id), self._caps.key))
        for limit, owner, most in owners:
            if most and self._open[limit, owner] >= most:
                yield limit
                return
        for limit, owner, _ in owners:
            self._open[limit, owner] += 1
        try:
            yield None
        finally:
            for limit, owner, _ in owners:
                self._open[limit, owner] -= 1
                if not self._open[limit, owner]:
                    del self._open[limit, owner]  # keep no entry for each address ever seen


def kind_of(scope: Scope) -> Kind | None:
    """Return the kind of a request for an event stream or an export, None for any other."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    if scope["path"] == _STREAM:
        return "events"
    return "export" if scope["path"].startswith(f"{EXPORTS}/") else None
