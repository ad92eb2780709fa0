"""A publisher run: take the lock, publish committed events for a while, end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from traffic_platform.kafka.transactional_producer import FencedError
from traffic_platform.publish.goal import Goal
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
    TransientError. It raises PermanentError when waiting cannot help.

    With `limits.until_caught_up` it ends when everything that was stored at its start is published,
    by itself or by the publisher that holds the lock. If that publisher ends before, the run takes
    over; if it publishes nothing for `limits.outage_seconds`, the run raises PermanentError.
    `report` receives the totals since its last call.
    """
    if not destinations(settings):
        return PublishTotals()
    first_report = time.monotonic() + min(_FIRST_REPORT_SECONDS, report_seconds)
    progress = _Progress(report, report_seconds, PublishTotals(), PublishTotals(), first_report)
    clock = RunClock(limits)
    goal: Goal | None = None
    fenced = False
    try:
        while not (stop() or clock.over()):
            try:
                with PublisherSession.open(settings, run_id) as session:
                    if goal is None and limits.until_caught_up:
                        goal = Goal(session.targets(), limits.outage_seconds)
                    if _await_lock(session, goal, clock, stop, fenced=fenced):
                        _publish(session, goal, clock, progress, stop)
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


def _await_lock(
    session: PublisherSession,
    goal: Goal | None,
    clock: RunClock,
    stop: Callable[[], bool],
    *,
    fenced: bool,
) -> bool:
    """Wait for the lock. Return False when another publisher does the work of this run."""
    since = time.monotonic()
    while not session.try_lock():
        done = fenced or clock.waiting_is_over(since)
        if stop() or (done if goal is None else goal.reached(session.positions())):
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True


def _publish(
    session: PublisherSession,
    goal: Goal | None,
    clock: RunClock,
    progress: _Progress,
    stop: Callable[[], bool],
) -> None:
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
        if goal is not None and goal.reached(session.positions()):
            break
        _pause(cycle, begun)
    progress.totals.lag = session.lag().total
    progress.report_if_due(lambda: progress.totals.lag, now=True)
    session.finish()


def _pause(cycle: Published, begun: float) -> None:
    if cycle.messages + cycle.already < _FULL_CYCLE:
        time.sleep(max(0.0, begun + _CYCLE_SECONDS - time.monotonic()))
