"""How much may be open at a time: streams of events and exports, by key, by address and in all.

A limit of requests a minute does not bound what stays open: each stream holds a socket and memory
for as long as its client likes, each export a connection of the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
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
    """Most that is open at a time: of one key, of one address, in all; 0: no limit."""

    key: int
    address: int
    everybody: int


class ConcurrencyLimits:
    """Places of one kind."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._taken: Counter[tuple[Limit, str]] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return self._taken["all", ""]

    @contextmanager
    def held(self, key_id: int | None, network: str) -> Generator[Limit | None]:
        """Hold a place until the block ends, however it does; yields the limit that forbids it."""
        holders: list[tuple[Limit, str, int]] = [
            ("address", network, self._caps.address),
            ("all", "", self._caps.everybody),
        ]
        if key_id is not None:
            holders.insert(0, ("key", str(key_id), self._caps.key))
        for limit, who, most in holders:
            if most and self._taken[limit, who] >= most:
                yield limit
                return
        for limit, who, _ in holders:
            self._taken[limit, who] += 1
        try:
            yield None
        finally:
            for limit, who, _ in holders:
                self._taken[limit, who] -= 1
                if not self._taken[limit, who]:
                    del self._taken[limit, who]  # addresses are many


def places_of(caps: Mapping[Kind, Caps]) -> dict[Kind, ConcurrencyLimits]:
    """Places of each kind, none of them taken."""
    return {kind: ConcurrencyLimits(each) for kind, each in caps.items()}


def kind_of(scope: Scope) -> Kind | None:
    """What a request keeps open, if anything."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    if scope["path"] == _STREAM:
        return "events"
    return "export" if scope["path"].startswith(f"{EXPORTS}/") else None
