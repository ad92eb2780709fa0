"""A publisher run: take the lock, publish committed events for a while, end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from traffic_platform.kafka.transactional_producer import FencedError
from traffic_platform.publish.positions import destinations
from traffic_platform.publish.publisher_session import Published, PublisherSession
from traffic_platform.run_clock import RunClock, RunLimits, wait_or_fail
from traffic_platform.settings import Settings

log = logging.getLogger(__name__)

_LOCK_POLL_SECONDS = 0.1
# The least time of a cycle in thin traffic, since each cycle costs a transaction per partition.
_CYCLE_SECONDS = 0.2
_FULL_CYCLE = 5_000  # messages; a cycle with this many is followed by the next at once
_FIRST_REPORT_SECONDS = 5.0


@dataclass
class PublishTotals(Published):
    """Numbers of published messages; `lag` is the number of unpublished ones, as last read."""

    lag: int = 0


@dataclass
class _Progress:
    report: Callable[[PublishTotals], None] | None
    report_seconds: float
    totals: PublishTotals
    unreported: PublishTotals
    report_at: float

    def add(self, cycle: Published) -> None:
        self.totals.add(cycle)
        self.unreported.add(cycle)

    def report_if_due(self, lag: Callable[[], int], *, now: bool = False) -> None:
        if self.unreported.messages and (now or time.monotonic() >= self.report_at):
            self.unreported.lag = self.totals.lag = lag()
            if self.report is not None:
                self.report(self.unreported)
            self.unreported = PublishTotals()
            self.report_at = time.monotonic() + self.report_seconds


def run_publisher(
    settings: Settings,
    *,
    limits: RunLimits,
    run_id: str | None,
    stop: Callable[[], bool],
    report: Callable[[PublishTotals], None] | None = None,
    report_seconds: float = 300.0,
) -> PublishTotals:
    """Publish every committed event that is not published yet, until a limit ends the run.

    Does nothing when the settings turn publishing off. The run waits for a predecessor's lock, and
    ends without an error when another publisher takes over. While PostgreSQL or Kafka is
    unavailable it retries with backoff, for up to `limits.outage_seconds`; then it raises
    TransientError. It raises PermanentError when waiting cannot help. With
    `limits.until_caught_up` it ends when no event is left. `report` receives the totals since its
    last call.
    """
    if not destinations(settings):
        return PublishTotals()
    first_report = time.monotonic() + min(_FIRST_REPORT_SECONDS, report_seconds)
    progress = _Progress(report, report_seconds, PublishTotals(), PublishTotals(), first_report)
    clock = RunClock(limits)
    fenced = False
    try:
        while not (stop() or clock.over()):
            try:
                _publish_session(settings, run_id, limits, clock, progress, stop, fenced=fenced)
                break
            except FencedError as error:
                # Another publisher took over, or a transaction took too long. The lock tells which.
                log.info("%s", error)
                fenced = True
            except Exception as error:
                wait_or_fail(error, clock, stop)
    finally:
        progress.report_if_due(lambda: progress.totals.lag, now=True)
    return progress.totals


def _publish_session(
    settings: Settings,
    run_id: str | None,
    limits: RunLimits,
    clock: RunClock,
    progress: _Progress,
    stop: Callable[[], bool],
    *,
    fenced: bool,
) -> None:
    with PublisherSession.open(settings, run_id) as session:
        since = time.monotonic()
        while not session.try_lock():
            if fenced or stop() or clock.waiting_is_over(since):
                return
            time.sleep(_LOCK_POLL_SECONDS)
        clock.started()
        session.begin()
        clock.busy()
        while not (stop() or clock.over()):
            begun = time.monotonic()
            cycle = session.publish_next()
            clock.worked()
            if cycle.messages or cycle.already:
                clock.busy()
            progress.add(cycle)
            progress.report_if_due(lambda: session.lag().total)
            if not cycle.messages and limits.until_caught_up and session.lag().total == 0:
                break
            _pause(cycle, begun)
        progress.totals.lag = session.lag().total
        progress.report_if_due(lambda: progress.totals.lag, now=True)
        session.finish()


def _pause(cycle: Published, begun: float) -> None:
    if cycle.messages + cycle.already < _FULL_CYCLE:
        time.sleep(max(0.0, begun + _CYCLE_SECONDS - time.monotonic()))
