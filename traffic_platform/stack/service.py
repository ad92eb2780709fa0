"""What the supervisor, and a test that needs only one of them, knows about a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from traffic_platform.stack.processes import Command


def nothing() -> None:
    """Finish a preparation that leaves nothing to do."""


@dataclass(frozen=True)
class Preparation:
    """A program that must have succeeded before the service starts, then `finish`."""

    name: str
    command: Command
    finish: Callable[[], None] = nothing
    seconds: float = 120


@dataclass(frozen=True)
class Task:
    """Work that is done once, at every start of the stack. `preparations` does it."""

    name: str
    work: Command
    seconds: float = 120

    def preparations(self) -> Sequence[Preparation]:
        """The work itself."""
        return (Preparation(self.name, self.work, seconds=self.seconds),)


class Service(Protocol):
    """One process of the stack."""

    @property
    def name(self) -> str:
        """Name in `traffic status`, and of its log file."""
        ...

    def preparations(self) -> Sequence[Preparation]:
        """What is still to be done before the first start, in this order."""
        ...

    def command(self) -> Command:
        """The service itself."""
        ...

    def ready(self) -> bool:
        """Ask the service whether it serves. Answers within about a second, never raises."""
        ...


@runtime_checkable
class Recovering(Protocol):
    """A service that can say that it is still at work before it serves, and must not be killed."""

    def recovering(self) -> bool:
        """Ask the service. Answers within about two seconds, never raises."""
        ...
