"""The drain loop of an ingest run: lock partitions, ingest micro-batches for a while, hand over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from traffic_platform.ingest.session import IngestRunSpec, Session
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.interpreter import prepare_interpreter
from traffic_platform.run_clock import RunClock, RunLimits, wait_or_fail
from traffic_platform.settings import Settings

_FIRST_REPORT_SECONDS = 5.0  # so that a new stream shows up soon in Dagster
_LOCK_POLL_SECONDS = 0.1


@dataclass
class _Progress:
    """Totals of an ingest run, and the part that is not reported yet."""

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
    """Drain the partitions p of `topics` with p % writers == writer, and return the totals.

    The run waits for a predecessor's locks, and takes over when it ends, dies or stops renewing its
    lease. While PostgreSQL or Kafka is unavailable it retries with backoff, for up to
    `limits.outage_seconds` without a committed batch; then it raises TransientError with no batch
    half written. It raises PermanentError when waiting cannot help. A rejected login that worked
    earlier in this run counts as an outage.

    `stop` is called between batches; a submitted batch is finished. `report` receives the totals
    since its last call, soon after the first batch, then every `report_seconds`, and at the end.
    `stored` is called after commits.
    """
    spec = IngestRunSpec(tuple(topics), run_id, writer, writers)
    prepare_interpreter()
    progress = _Progress(report, stored, report_seconds)
    clock = RunClock(limits)
    try:
        while not (stop() or clock.over()):
            try:
                _drain_session(
                    settings, spec, limits=limits, clock=clock, progress=progress, stop=stop
                )
                break
            except Exception as error:
                wait_or_fail(error, clock, stop)
    finally:
        progress.report_now()
    return progress.totals


def _drain_session(
    settings: Settings,
    spec: IngestRunSpec,
    *,
    limits: RunLimits,
    clock: RunClock,
    progress: _Progress,
    stop: Callable[[], bool],
) -> None:
    """Drain over one connection and one consumer until the run is over."""
    with Session.open(settings, spec) as session:
        if not _wait_for_locks(session, limits, clock, stop):
            return
        clock.started()
        try:
            session.begin()
            while not (stop() or clock.over() or (limits.until_caught_up and session.caught_up())):
                polled = session.ingest_next()
                # The run stays busy while known messages are outstanding, even from a slow broker.
                if polled or not session.caught_up():
                    clock.busy()
                if progress.batch_stored(session) or (not polled and session.caught_up()):
                    clock.worked()
                progress.report_if_due()
            session.finish()
        finally:
            session.abandon()
            progress.batch_stored(session)


def _wait_for_locks(
    session: Session, limits: RunLimits, clock: RunClock, stop: Callable[[], bool]
) -> bool:
    """Wait until this run holds its partitions; return False when it should end without them."""
    since = time.monotonic()
    while not session.try_lock():
        clock.worked()
        if stop() or clock.waiting_is_over(since):
            return False
        if limits.until_caught_up and session.stored_by_another():
            return False
        time.sleep(_LOCK_POLL_SECONDS)
    return True
