"""A window: hold the locks of some partitions, drain micro-batches for a while, hand over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from traffic_platform.ingest.session import IngestRunSpec, Session
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.run_clock import RunClock, RunLimits, wait_or_fail
from traffic_platform.settings import Settings

_FIRST_REPORT_SECONDS = 5.0  # a new stream shows up quickly, a steady one seldom
_LOCK_POLL_SECONDS = 0.1


@dataclass
class _Progress:
    """What a window has done, and what it has yet to report."""

    report: Callable[[IngestTotals], None] | None
    stored: Callable[[], None] | None
    report_seconds: float
    totals: IngestTotals = field(default_factory=IngestTotals)
    unreported: IngestTotals = field(default_factory=IngestTotals)
    lag: int = 0
    _report_at: float | None = None
    _reported: bool = False

    def batch_stored(self, session: Session) -> bool:
        stored = session.take_stored()
        self.lag = session.lag()
        if stored and self.stored is not None:
            self.stored()
        for batch in stored:
            self.totals.add(batch)
            self.unreported.add(batch)
        if self._report_at is None and self.unreported.batches:
            wait = self.report_seconds if self._reported else _FIRST_REPORT_SECONDS
            self._report_at = time.monotonic() + min(wait, self.report_seconds)
        return bool(stored)

    def report_if_due(self) -> None:
        if self._report_at is not None and time.monotonic() >= self._report_at:
            self.report_now()

    def report_now(self) -> None:
        self.totals.lag = self.unreported.lag = self.lag
        if self.report is not None and self.unreported.batches:
            self.report(self.unreported)
        self.unreported = IngestTotals()
        self._report_at, self._reported = None, True


def run_ingest(
    settings: Settings,
    topics: Sequence[str],
    *,
    limits: RunLimits,
    run_id: str | None,
    stop: Callable[[], bool],
    writer: int = 0,
    writers: int = 1,
    report: Callable[[IngestTotals], None] | None = None,
    report_seconds: float = 300.0,
    stored: Callable[[], None] | None = None,
) -> IngestTotals:
    """Drain the partitions p of `topics` with p % writers == writer, and return what was done.

    Waits for a predecessor's locks first; takes over when it ends, dies or stops renewing its
    lease. While PostgreSQL or Kafka is away it waits with backoff, up to
    `limits.outage_seconds` without a committed batch, then raises TransientError; nothing is half
    done then. Raises PermanentError when waiting cannot help; a login that worked before in this
    window is waited for as in an outage. `stop` is asked between batches;
    the batch in hand is finished. `report` gets what was done since the last report, soon after
    the first batch, then every `report_seconds`, and at the end. `stored` is called after commits.
    """
    spec = IngestRunSpec(tuple(topics), run_id, writer, writers)
    prepare_interpreter()
    progress = _Progress(report, stored, report_seconds)
    clock = RunClock(limits)
    try:
        while not (stop() or clock.over()):
            try:
                _hold_session(
                    settings, spec, limits=limits, clock=clock, progress=progress, stop=stop
                )
                break
            except Exception as error:
                wait_or_fail(error, clock, stop)
    finally:
        progress.report_now()
    return progress.totals


def _hold_session(
    settings: Settings,
    spec: IngestRunSpec,
    *,
    limits: RunLimits,
    clock: RunClock,
    progress: _Progress,
    stop: Callable[[], bool],
) -> None:
    """Drain over one connection and one consumer until the window is over."""
    with Session.open(settings, spec) as session:
        if not _wait_for_locks(session, limits, clock, stop):
            return
        clock.started()
        try:
            session.begin()
            while not (stop() or clock.over() or (limits.until_caught_up and session.caught_up())):
                moved = session.move_batch()
                # Messages that are known to be there are waited for, however slow the broker is.
                if moved or not session.caught_up():
                    clock.busy()
                if progress.batch_stored(session) or (not moved and session.caught_up()):
                    clock.worked()
                progress.report_if_due()
            session.finish()
        finally:
            session.abandon()
            progress.batch_stored(session)


def _wait_for_locks(
    session: Session, limits: RunLimits, clock: RunClock, stop: Callable[[], bool]
) -> bool:
    """Wait until this window holds its partitions; False when it should end without them."""
    since = time.monotonic()
    while not session.try_lock():
        clock.worked()
        if stop() or clock.waiting_is_over(since):
            return False
        if limits.until_caught_up and session.stored_by_another():
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True
