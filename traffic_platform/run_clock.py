"""How long a window goes on, and how it waits while PostgreSQL or Kafka is away."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from traffic_platform.errors import (
    PermanentError,
    RefusedError,
    TransientError,
    translate,
)

log = logging.getLogger(__name__)

_RETRY_SECONDS = (0.2, 10.0)  # first and longest wait while PostgreSQL or Kafka is away


@dataclass(frozen=True)
class RunLimits:
    """When a window ends: after `seconds` of draining, or `idle_seconds` without a message.

    `until_caught_up` ends it as soon as the ends of the logs seen at its start are stored.
    `outage_seconds` is how long it waits for PostgreSQL or Kafka before it fails cleanly.
    """

    seconds: float
    idle_seconds: float
    until_caught_up: bool = False
    outage_seconds: float = 120.0


class RunClock:
    """The limits of a window in progress. Draining time counts from the first lock.

    `has_worked`: Kafka and PostgreSQL have both let this window in.
    """

    def __init__(self, limits: RunLimits) -> None:
        now = time.monotonic()
        self._limits = limits
        self.has_worked = False
        self._started: float | None = None
        self._last_message = now
        self._failing_since: float | None = None
        self._retry_seconds = _RETRY_SECONDS[0]

    def started(self) -> None:
        """The window has its first lock."""
        if self._started is None:
            self._started = self._last_message = time.monotonic()

    def busy(self) -> None:
        """There is something to do: idle time counts from now on."""
        self._last_message = time.monotonic()

    def worked(self) -> None:
        """Something that an outage prevents was done: a batch stored, or all found stored."""
        if self._failing_since is not None:
            self._last_message = time.monotonic()  # an outage is no idle time
        self.has_worked = True
        self._failing_since = None
        self._retry_seconds = _RETRY_SECONDS[0]

    def failed(self) -> None:
        """An outage has begun, or goes on."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def over(self) -> bool:
        """Whether the window has reached a limit."""
        if self._started is None:
            return False
        now = time.monotonic()
        idle = self._failing_since is None and (
            now - self._last_message >= self._limits.idle_seconds
        )
        return idle or now - self._started >= self._limits.seconds

    def waiting_is_over(self, since: float) -> bool:
        """A successor waits as long as a predecessor may run, and a little more."""
        return time.monotonic() - since >= self._limits.seconds + self._limits.idle_seconds

    def outage_is_over(self) -> bool:
        """Whether an outage has lasted longer than it is waited for."""
        since = self._failing_since
        return since is not None and time.monotonic() - since >= self._limits.outage_seconds

    def next_retry_seconds(self) -> float:
        """How long to wait now: longer each time until something works."""
        wait = self._retry_seconds
        self._retry_seconds = min(wait * 2, _RETRY_SECONDS[1])
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides no secret


def wait_or_fail(error: Exception, clock: RunClock, stop: Callable[[], bool]) -> None:
    """Wait before the next try; raise what a window ends with when there is none.

    That is what `error` means where waiting cannot help, and TransientError when an outage lasts.
    """
    known = translate(error)
    # Where it has let us in before, a login may be changing, or a broker be coming back.
    waits = isinstance(known, RefusedError) and clock.has_worked
    if known is None or (isinstance(known, PermanentError) and not waits):
        raise known or error
    clock.failed()
    if clock.outage_is_over():
        if waits:
            raise known from error
        raise TransientError(f"gave up waiting: {known}") from error
    wait = clock.next_retry_seconds()
    log.warning("%s; trying again in %.1f s", known, wait)
    until = time.monotonic() + wait
    while time.monotonic() < until and not stop():
        time.sleep(min(0.1, wait))


def wall_clock_us() -> int:
    """Microseconds since 1970-01-01 UTC by this machine's clock."""
    return time.time_ns() // 1000
