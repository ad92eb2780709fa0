"""Polling of lag and locks during a sensor tick, until a run is needed or the tick is over.

Dagster's daemon starts ticks on a grid of 5 s, whatever a sensor's minimum interval says. A tick
that returned at once would notice a message 2.5 s late on average and write a row of 1.7 kB every
5 s. So a tick polls for most of five such steps and returns early only when a run is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from traffic_platform.errors import IngestError, PermanentError
from traffic_platform.ledger.partition_locks import Holder
from traffic_platform.monitoring.lag import LagReader, OpenTransaction, PartitionLag
from traffic_platform.orchestration.ingest.demand import (
    PUBLISHER,
    Demand,
    StreamRun,
    WriterWork,
    plan_runs,
)
from traffic_platform.settings import Settings, SettingsError

# The daemon's grid is 5 s (MIN_INTERVAL_LOOP_TIME), and a tick may take 60 s (gRPC). A tick lasts
# five steps and ends early enough that the daemon has stored it when the next step begins; nothing
# polls during this margin. 3,456 ticks a day are 5.8 MB.
TICK_SECONDS = 5 * 5.0
TICK_MARGIN_SECONDS = 0.8
POLL_SECONDS = 0.25
# The interval of polls while PostgreSQL or Kafka is unavailable.
RETRY_SECONDS = 1.0
# A writer stays busy, and keeps its standby, this long after its last message.
BUSY_SECONDS = 15.0
# The publisher is requested for this long after messages began to wait, so that it starts together
# with the ingest run; after that, only when stored events wait to be published.
PUBLISHER_LEAD_SECONDS = 30.0
# Run records are read again after this time, or at once when messages wait and no run drains them.
RUNS_FRESH_SECONDS = 1.0
# Open transactions matter only after minutes, so they are read this often.
TRANSACTIONS_FRESH_SECONDS = 60.0


# Reads the newest ingest and publisher runs from Dagster.
RunLister = Callable[[], list[StreamRun]]
# When each partition last advanced in the ledger, and the publisher (None): seconds since 1970 UTC.
Progress = Mapping[int | None, float]


class RunsUnreadableError(Exception):
    """Dagster's storage did not answer; transient."""


@dataclass
class _WriterMemory:
    """The state of a writer's partitions at the last poll."""

    position: int = -1
    active_at: float = -BUSY_SECONDS


@dataclass(frozen=True)
class Outcome:
    """The result of polling: demands, and the error that kept it from seeing more.

    `held_back`: transactions of producers that hide messages, so that no run can read them.
    """

    demands: list[Demand]
    lag: int
    error: Exception | None = None
    held_back: Sequence[OpenTransaction] = ()


@dataclass
class OffsetWatch:
    """Polls lag and locks. One per code server: it keeps a Kafka client and a connection."""

    settings: Settings
    topics: Sequence[str]
    _reader: LagReader | None = None
    _memory: dict[int, _WriterMemory] = field(default_factory=dict[int, _WriterMemory])
    _lag_since: float | None = None
    _held_back: list[OpenTransaction] = field(default_factory=list[OpenTransaction])
    _transactions_at: float = float("-inf")
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def poll_until_demand(self, list_runs: RunLister, seconds: float) -> Outcome:
        """Poll every POLL_SECONDS for at most `seconds`; return at the first demand.

        An outage does not end the polling; the outcome holds the last error. Returns early when
        the process is shutting down.
        """
        with self._one_at_a_time:
            until = time.monotonic() + seconds
            runs = _CachedRuns(list_runs)
            while True:
                outcome, pause = self._poll_safely(runs)
                over = time.monotonic() + pause >= until or _shutting_down()
                if over or any(demand.ask for demand in outcome.demands):
                    return outcome
                time.sleep(pause)

    def _poll_safely(self, runs: _CachedRuns) -> tuple[Outcome, float]:
        try:
            return self._poll(runs), POLL_SECONDS
        except (IngestError, SettingsError, RunsUnreadableError) as error:
            return Outcome([], 0, error), RETRY_SECONDS

    def _poll(self, cached_runs: _CachedRuns) -> Outcome:
        if self._reader is None:
            self._reader = LagReader(self.settings)
        lags = self._reader.read(self.topics)
        holders = self._reader.holders(self.topics)
        progress = self._reader.last_progress()
        work = [
            *self._work(lags, holders, progress),
            *self._publisher_work(self._reader, lags, progress),
        ]
        waiting = any(state.needs_run and not state.holders for state in work)
        active = waiting or any(state.needs_run or state.busy for state in work)
        runs = cached_runs.read(0.0 if waiting else RUNS_FRESH_SECONDS) if active else []
        if time.monotonic() - self._transactions_at >= TRANSACTIONS_FRESH_SECONDS:
            self._held_back = self._reader.open_transactions(lags)
            self._transactions_at = time.monotonic()
        return Outcome(
            demands=plan_runs(work, runs, time.time()),
            lag=sum(lag.lag for lag in lags),
            held_back=self._held_back,
        )

    def _work(
        self, lags: Sequence[PartitionLag], holders: Iterable[Holder], progress: Progress
    ) -> list[WriterWork]:
        writers = self.settings.writers
        alive = [holder for holder in holders if holder.alive]
        return [
            self._writer_work(
                writer,
                [lag for lag in lags if lag.partition % writers == writer],
                frozenset(one.run_id for one in alive if one.partition % writers == writer),
                max(
                    (at for p, at in progress.items() if p is not None and p % writers == writer),
                    default=0.0,
                ),
            )
            for writer in range(writers)
        ]

    def _publisher_work(
        self, reader: LagReader, lags: Iterable[PartitionLag], progress: Progress
    ) -> list[WriterWork]:
        """Return the publisher's work; it is requested together with the ingest run it follows."""
        if not reader.publishes:
            return []
        raw_lag = any(lag.lag for lag in lags if lag.topic == self.settings.raw_topic)
        return [
            WriterWork(
                writer=PUBLISHER,
                needs_run=self._is_coming(raw_lag) or reader.publication_lag().total > 0,
                busy=False,
                holders=frozenset(h.run_id for h in reader.publishers() if h.alive),
                progress_at=progress.get(None, 0.0),
                standby=False,
            )
        ]

    def _is_coming(self, lagging: bool) -> bool:
        """Return True while messages have waited briefly; if they wait longer, none is stored."""
        if not lagging:
            self._lag_since = None
            return False
        self._lag_since = self._lag_since or time.monotonic()
        return time.monotonic() - self._lag_since < PUBLISHER_LEAD_SECONDS

    def _writer_work(
        self,
        writer: int,
        lags: Sequence[PartitionLag],
        holders: frozenset[str | None],
        progress_at: float,
    ) -> WriterWork:
        memory = self._memory.setdefault(writer, _WriterMemory())
        needs_run = any(lag.needs_run for lag in lags)
        position = sum(lag.next_offset or 0 for lag in lags)
        advanced = position > memory.position >= 0
        memory.position = position
        if advanced or needs_run:
            memory.active_at = time.monotonic()
        return WriterWork(
            writer=writer,
            needs_run=needs_run,
            busy=time.monotonic() - memory.active_at < BUSY_SECONDS,
            holders=holders,
            progress_at=progress_at,
        )


class _CachedRuns:
    """Run records, read again when they are older than the caller allows."""

    def __init__(self, list_runs: RunLister) -> None:
        self._list_runs = list_runs
        self._runs: list[StreamRun] = []
        self._read_at = float("-inf")

    def read(self, fresh_seconds: float) -> list[StreamRun]:
        if time.monotonic() - self._read_at >= fresh_seconds:
            self._runs = self._list_runs()
            self._read_at = time.monotonic()
        return self._runs


def explain(outcome: Outcome) -> str:
    """Return one line for people: how far the ledger is behind, and the state of each writer.

    Raises the outcome's error when somebody has to act (PermanentError, SettingsError).
    """
    if isinstance(outcome.error, PermanentError | SettingsError):
        raise outcome.error
    if outcome.error is not None:
        return f"Cannot read the offsets: {outcome.error}. Retrying."
    writers = "; ".join(f"{demand.name}: {demand.reason}" for demand in outcome.demands)
    held_back = "".join(f" {transaction}." for transaction in outcome.held_back)
    return f"{outcome.lag} messages behind. {writers}.{held_back}"


def _shutting_down() -> bool:
    # Ticks run in threads of the code server, and the interpreter waits for them at its end.
    return not threading.main_thread().is_alive()
