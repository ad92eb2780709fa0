"""Time limits of a run, and its waits during an outage of PostgreSQL or Kafka."""

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

_RETRY_SECONDS = (0.2, 10.0)  # first and longest wait between retries


@dataclass(frozen=True)
class RunLimits:
    """Limits of a run: `seconds` of draining, or `idle_seconds` without a message.

    `until_caught_up` ends the run when everything is stored, or published, that waited at its
    start. The run waits `outage_seconds` for PostgreSQL or Kafka, then fails cleanly.
    """

    seconds: float
    idle_seconds: float
    until_caught_up: bool = False
    outage_seconds: float = 120.0


class RunClock:
    """Clock of a run in progress. Draining time counts from the first lock.

    `has_worked`: Kafka and PostgreSQL have both accepted the login of this run.
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
        """Start the draining time: the run has its first lock."""
        if self._started is None:
            self._started = self._last_message = time.monotonic()

    def busy(self) -> None:
        """Restart the idle time: there is work."""
        self._last_message = time.monotonic()

    def worked(self) -> None:
        """End an outage: a batch was stored, or everything was found stored."""
        if self._failing_since is not None:
            self._last_message = time.monotonic()  # an outage does not count as idle time
        self.has_worked = True
        self._failing_since = None
        self._retry_seconds = _RETRY_SECONDS[0]

    def failed(self) -> None:
        """Start an outage, unless one lasts already."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def over(self) -> bool:
        """Return whether the run has reached a limit."""
        if self._started is None:
            return False
        now = time.monotonic()
        idle = self._failing_since is None and (
            now - self._last_message >= self._limits.idle_seconds
        )
        return idle or now - self._started >= self._limits.seconds

    def waiting_is_over(self, since: float) -> bool:
        """Return whether a successor has waited longer than its predecessor may run."""
        return time.monotonic() - since >= self._limits.seconds + self._limits.idle_seconds

    def outage_is_over(self) -> bool:
        """Return whether an outage lasts longer than `outage_seconds`."""
        since = self._failing_since
        return since is not None and time.monotonic() - since >= self._limits.outage_seconds

    def next_retry_seconds(self) -> float:
        """Return the next wait in seconds. It doubles until `worked`, up to the longest wait."""
        wait = self._retry_seconds
        self._retry_seconds = min(wait * 2, _RETRY_SECONDS[1])
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides no secret


def wait_or_fail(error: Exception, clock: RunClock, stop: Callable[[], bool]) -> None:
    """Wait before the next attempt, or raise the error that ends the run.

    Raises `error` as its type where waiting does not help, and TransientError when an outage lasts
    too long.
    """
    known = translate(error)
    # After an accepted login, a password may just be changing, or a broker be restarting.
    waits = isinstance(known, RefusedError) and clock.has_worked
    if known is None or (isinstance(known, PermanentError) and not waits):
        raise known or error
    clock.failed()
    if clock.outage_is_over():
        if waits:
            raise known from error
        raise TransientError(f"gave up waiting: {known}") from error
    wait = clock.next_retry_seconds()
    log.warning("%s; retry in %.1f s", known, wait)
    until = time.monotonic() + wait
    while time.monotonic() < until and not stop():
        time.sleep(min(0.1, wait))


def wall_clock_us() -> int:
    """Return the microseconds since 1970-01-01 UTC by this machine's clock."""
    return time.time_ns() // 1000
