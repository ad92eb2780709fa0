"""Interface of a service, for the supervisor and for tests that need one service only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from traffic_platform.stack.processes import Command


def nothing() -> None:
    """Do nothing after a preparation."""


@dataclass(frozen=True)
class Preparation:
    """A program that must succeed before the service starts. `finish` runs after it."""

    name: str
    command: Command
    finish: Callable[[], None] = nothing
    seconds: float = 120


@dataclass(frozen=True)
class Task:
    """Work at every start of the stack. It consists of its preparation."""

    name: str
    work: Command
    seconds: float = 120

    def preparations(self) -> Sequence[Preparation]:
        """Return the work."""
        return (Preparation(self.name, self.work, seconds=self.seconds),)


class Service(ABC):
    """One process of the stack. `name` is its name in `traffic status` and of the log file."""

    name: str

    def preparations(self) -> Sequence[Preparation]:
        """Return the programs to run before the first start, in this order. Default: none."""
        return ()

    @abstractmethod
    def command(self) -> Command:
        """Return the command of the service."""

    @abstractmethod
    def ready(self) -> bool:
        """Return whether the service serves, within about a second. Never raises."""

    def recovering(self) -> bool:
        """Return whether the service recovers, within about two seconds. Never raises.

        A service that recovers before it serves is not killed meanwhile.
        """
        return False
