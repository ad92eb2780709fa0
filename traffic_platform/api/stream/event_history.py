"""The newest events of a stream, numbered and shared by all its clients."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

# One minute at 1,000 readings a second, in some 20 MB.
MOST_EVENTS = 60_000
# Bytes on their way to a slow client wait in memory. This bounds them to some 100 kB a client.
MOST_AT_A_TIME = 500


@dataclass(frozen=True)
class _Chunk:
    """Events that are sent together; the first has the number `first`."""

    first: int
    events: tuple[bytes, ...]
    joined: bytes

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1


class EventHistory:
    """Server-sent events with ids of the form `TOKEN-NUMBER`. Each history has its own token."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self.newest = 0
        self._token = secrets.token_hex(4)
        self._most = most
        self._events = 0
        self._chunks: deque[_Chunk] = deque()

    def add(self, readings: Sequence[str]) -> None:
        """Number and keep these readings (JSON). Drop the oldest beyond `most`."""
        for begin in range(0, len(readings), MOST_AT_A_TIME):
            self._add(readings[begin : begin + MOST_AT_A_TIME])

    def _add(self, readings: Sequence[str]) -> None:
        first = self.newest + 1
        events = tuple(
            f"id: {self.id_of(first + number)}\nevent: reading\ndata: {reading}\n\n".encode()
            for number, reading in enumerate(readings)
        )
        self._chunks.append(_Chunk(first, events, b"".join(events)))
        self.newest += len(events)
        self._events += len(events)
        while self._events - len(self._chunks[0].events) >= self._most:
            self._events -= len(self._chunks.popleft().events)

    def id_of(self, number: int) -> str:
        """Return the id of an event. Number 0 stands for the time before the first event."""
        return f"{self._token}-{number}"

    def number_of(self, event_id: str) -> int | None:
        """Return the number of an id; None if the events after it are no longer kept."""
        token, _, number = event_id.partition("-")
        if token != self._token or not number.isascii() or not number.isdigit():
            return None
        found = int(number) if len(number) < 20 else self.newest + 1
        return found if self.reaches(found) else None

    def reaches(self, number: int) -> bool:
        """Return whether all events after this one are kept."""
        oldest = self._chunks[0].first if self._chunks else self.newest + 1
        return oldest - 1 <= number <= self.newest

    def after(self, number: int) -> tuple[bytes, int]:
        """Return the next events, at most MOST_AT_A_TIME, and the number of the last one."""
        for chunk in self._chunks:
            if chunk.last > number:
                if chunk.first > number:
                    return chunk.joined, chunk.last
                return b"".join(chunk.events[number - chunk.first + 1 :]), chunk.last
        return b"", number
