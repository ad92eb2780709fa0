"""A window: hold the locks of some partitions, drain micro-batches for a while, hand over."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from traffic_platform.ingest.errors import PermanentError, TransientError, translate
from traffic_platform.ingest.session import Session, WindowSpec
from traffic_platform.ingest.totals import WindowTotals
from traffic_platform.settings import Settings

log = logging.getLogger(__name__)

_FIRST_REPORT_SECONDS = 5.0  # a new stream shows up quickly, a steady one seldom
_LOCK_POLL_SECONDS = 0.1
_RETRY_SECONDS = (0.2, 10.0)  # first and longest wait while PostgreSQL or Kafka is away


@dataclass(frozen=True)
class WindowLimits:
    """When a window ends: after `seconds` of draining, or `idle_seconds` without a message.

    `until_caught_up` ends it as soon as the ends of the logs seen at its start are stored.
    `outage_seconds` is how long it waits for PostgreSQL or Kafka before it fails cleanly.
    """

    seconds: float
    idle_seconds: float
    until_caught_up: bool = False
    outage_seconds: float = 120.0


@dataclass
class _Progress:
    """What a window has done, and what it has yet to report."""

    report: Callable[[WindowTotals], None] | None
    report_seconds: float
    totals: WindowTotals = field(default_factory=WindowTotals)
    unreported: WindowTotals = field(default_factory=WindowTotals)
    _report_at: float | None = None
    _reported: bool = False

    def batch_stored(self, session: Session) -> bool:
        stored = session.take_stored()
        for batch in stored:
            self.totals.add(batch)
            self.unreported.add(batch)
        if self._report_at is None and self.unreported.batches:
            wait = self.report_seconds if self._reported else _FIRST_REPORT_SECONDS
            self._report_at = time.monotonic() + min(wait, self.report_seconds)
        return bool(stored)

    def report_if_due(self, lag: int) -> None:
        if self._report_at is not None and time.monotonic() >= self._report_at:
            self.report_now(lag)

    def report_now(self, lag: int) -> None:
        self.totals.lag = self.unreported.lag = lag
        if self.report is not None and self.unreported.batches:
            self.report(self.unreported)
        self.unreported = WindowTotals()
        self._report_at, self._reported = None, True


def run_window(
    settings: Settings,
    topics: Sequence[str],
    *,
    limits: WindowLimits,
    run_id: str | None,
    stop: Callable[[], bool],
    writer: int = 0,
    writers: int = 1,
    report: Callable[[WindowTotals], None] | None = None,
    report_seconds: float = 300.0,
) -> WindowTotals:
    """Drain the partitions p of `topics` with p % writers == writer, and return what was done.

    Waits for a predecessor's locks first; takes over when it ends, dies or stops renewing its
    lease. While PostgreSQL or Kafka is away it waits with backoff, up to
    `limits.outage_seconds` without a committed batch, then raises TransientError; nothing is half
    done then. Raises PermanentError when waiting cannot help. `stop` is asked between batches;
    the batch in hand is finished. `report` gets what was done since the last report, soon after
    the first batch, then every `report_seconds`, and at the end.
    """
    spec = WindowSpec(tuple(topics), run_id, writer, writers)
    progress = _Progress(report, report_seconds)
    clock = _Clock(limits)
    lag = 0
    try:
        while not (stop() or clock.over()):
            try:
                lag = _hold_session(
                    settings, spec, limits=limits, clock=clock, progress=progress, stop=stop
                )
                break
            except Exception as error:
                _wait_or_fail(error, clock, stop)
    finally:
        progress.report_now(lag)
    return progress.totals


class _Clock:
    """The limits of a window in progress. Draining time counts from the first lock."""

    def __init__(self, limits: WindowLimits) -> None:
        now = time.monotonic()
        self._limits = limits
        self._started: float | None = None
        self._last_message = now
        self._failing_since: float | None = None
        self._retry_seconds = _RETRY_SECONDS[0]

    def started(self) -> None:
        if self._started is None:
            self._started = self._last_message = time.monotonic()

    def fetched(self, messages: int) -> None:
        if messages:
            self._last_message = time.monotonic()

    def worked(self) -> None:
        """Something that an outage prevents was done: a batch stored, or all found stored."""
        self._failing_since = None
        self._retry_seconds = _RETRY_SECONDS[0]

    def failed(self) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    def over(self) -> bool:
        if self._started is None:
            return False
        now = time.monotonic()
        return (
            now - self._started >= self._limits.seconds
            or now - self._last_message >= self._limits.idle_seconds
        )

    def waiting_is_over(self, since: float) -> bool:
        """A successor waits as long as a predecessor may run, and a little more."""
        return time.monotonic() - since >= self._limits.seconds + self._limits.idle_seconds

    def outage_is_over(self) -> bool:
        since = self._failing_since
        return since is not None and time.monotonic() - since >= self._limits.outage_seconds

    def next_retry_seconds(self) -> float:
        wait = self._retry_seconds
        self._retry_seconds = min(wait * 2, _RETRY_SECONDS[1])
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides no secret


def _hold_session(
    settings: Settings,
    spec: WindowSpec,
    *,
    limits: WindowLimits,
    clock: _Clock,
    progress: _Progress,
    stop: Callable[[], bool],
) -> int:
    """Drain over one connection and one consumer until the window is over; the lag at its end."""
    with Session.open(settings, spec) as session:
        if not _wait_for_locks(session, clock, stop):
            return 0
        clock.started()
        try:
            session.begin()
            while not (stop() or clock.over() or (limits.until_caught_up and session.caught_up())):
                moved = session.move_batch()
                clock.fetched(moved)
                if progress.batch_stored(session) or (not moved and session.caught_up()):
                    clock.worked()
                progress.report_if_due(session.lag())
            session.finish()
        finally:
            session.abandon()
            progress.batch_stored(session)
        return session.lag()


def _wait_for_locks(session: Session, clock: _Clock, stop: Callable[[], bool]) -> bool:
    """Wait until this window holds its partitions; False when it should end without them."""
    since = time.monotonic()
    while not session.try_lock():
        clock.worked()
        if stop() or clock.waiting_is_over(since):
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True


def _wait_or_fail(error: Exception, clock: _Clock, stop: Callable[[], bool]) -> None:
    known = translate(error)
    if known is None or isinstance(known, PermanentError):
        raise known or error
    clock.failed()
    if clock.outage_is_over():
        raise TransientError(f"gave up waiting: {known}") from error
    wait = clock.next_retry_seconds()
    log.warning("%s; trying again in %.1f s", known, wait)
    until = time.monotonic() + wait
    while time.monotonic() < until and not stop():
        time.sleep(min(0.1, wait))
