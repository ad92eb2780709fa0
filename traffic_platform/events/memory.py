"""A bounded memory of the results of a function that rejects some of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from traffic_platform.events.reasons import Rejection

MOST_REMEMBERED = 65_536
"""Results that are kept. That many sensors take 15 MB, and that many times, too."""

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Results by argument, over batches. Forgets all of them when it is full."""

    def __init__(self, compute: Callable[[K], V]) -> None:
        self._compute = compute
        self.known: dict[K, V] = {}

    def learn(self, keys: set[K]) -> dict[K, Rejection]:
        """Compute the results of all keys that are not known; return the rejected keys."""
        new = keys.difference(self.known)
        if len(self.known) + len(new) > MOST_REMEMBERED:
            self.known.clear()
            new = keys
        rejected: dict[K, Rejection] = {}
        for key in new:
            try:
                self.known[key] = self._compute(key)
            except Rejection as rejection:
                rejected[key] = rejection
        return rejected
