"""The long look of a sensor tick: from the start of the tick to its end, or to the first demand.

Dagster's daemon starts ticks on a grid of 5 s, whatever a sensor's minimum interval says. A tick
that returned at once would notice a message 2.5 s late on average and write a row of 1.7 kB every
5 s. So a tick looks again and again for most of ten such steps and returns early only when it
has something to ask for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from traffic_platform.errors import IngestError, PermanentError
from traffic_platform.ledger.partition_locks import Holder
from traffic_platform.monitoring.lag import LagReader, OpenTransaction, PartitionLag
from traffic_platform.orchestration.ingest.demand import (
    PUBLISHER,
    Demand,
    Window,
    WriterWork,
    plan_runs,
)
from traffic_platform.settings import Settings, SettingsError

# The daemon's grid is 5 s (MIN_INTERVAL_LOOP_TIME); a tick may take 60 s (gRPC). Ten steps, and
# an end early enough that the daemon has stored the tick when the next step begins: between two
# ticks nobody looks for about this margin. 1,728 ticks a day are 2.9 MB.
TICK_SECONDS = 10 * 5.0
TICK_MARGIN_SECONDS = 0.8
LOOK_SECONDS = 0.25
# While PostgreSQL or Kafka is away, it is asked less often.
RETRY_SECONDS = 1.0
# A writer stays busy, and keeps its standby, this long after its last message.
BUSY_SECONDS = 15.0
# A publisher is asked for this long after messages began to wait; later, once they are stored.
COMING_SECONDS = 30.0
# Run records are read again after this time; at once when messages wait and nobody drains.
RUNS_FRESH_SECONDS = 1.0
# Open transactions are looked for this often: they count only after minutes.
TRANSACTIONS_FRESH_SECONDS = 60.0


class RunLister(Protocol):
    """Reads the newest runs of the window job from Dagster."""

    def __call__(self) -> list[Window]: ...


class RunsUnreadableError(Exception):
    """Dagster's storage did not answer; transient."""


@dataclass
class _WriterMemory:
    """What a writer's partitions looked like before."""

    position: int = -1
    progress_at: float = 0.0
    active_at: float = -BUSY_SECONDS


@dataclass(frozen=True)
class Outcome:
    """What a look ended with: demands, and what kept it from seeing more.

    `held_back` are messages that no demand can bring, since a transaction is open.
    """

    demands: list[Demand]
    lag: int
    trouble: Exception | None = None
    held_back: Sequence[OpenTransaction] = ()


@dataclass
class OffsetWatch:
    """Looks at lag and locks. One per code server: it keeps a Kafka client and a connection."""

    settings: Settings
    topics: Sequence[str]
    _reader: LagReader | None = None
    _memory: dict[int, _WriterMemory] = field(default_factory=dict[int, _WriterMemory])
    _coming_since: float | None = None
    _held_back: list[OpenTransaction] = field(default_factory=list[OpenTransaction])
    _transactions_at: float = float("-inf")
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def look_until_demand(self, list_runs: RunLister, seconds: float) -> Outcome:
        """Look every LOOK_SECONDS for at most `seconds`; return at the first demand.

        An outage does not end the look: what was wrong last is in the outcome. Ends early when
        the process is shutting down.
        """
        with self._one_at_a_time:
            until = time.monotonic() + seconds
            runs = _CachedRuns(list_runs)
            while True:
                outcome, pause = self._look_safely(runs)
                over = time.monotonic() + pause >= until or _shutting_down()
                if over or any(demand.ask for demand in outcome.demands):
                    return outcome
                time.sleep(pause)

    def _look_safely(self, runs: _CachedRuns) -> tuple[Outcome, float]:
        try:
            return self._look(runs), LOOK_SECONDS
        except (IngestError, SettingsError, RunsUnreadableError) as error:
            return Outcome([], 0, error), RETRY_SECONDS

    def _look(self, runs: _CachedRuns) -> Outcome:
        if self._reader is None:
            self._reader = LagReader(self.settings)
        lags = self._reader.read(self.topics)
        holders = self._reader.holders(self.topics)
        work = [*self._work(lags, holders), *self._publisher_work(self._reader, lags)]
        waiting = any(state.needs_window and not state.holders for state in work)
        active = waiting or any(state.needs_window or state.busy for state in work)
        windows = runs.read(0.0 if waiting else RUNS_FRESH_SECONDS) if active else []
        if time.monotonic() - self._transactions_at >= TRANSACTIONS_FRESH_SECONDS:
            self._held_back = self._reader.open_transactions(lags)
            self._transactions_at = time.monotonic()
        return Outcome(
            demands=plan_runs(work, windows, time.time()),
            lag=sum(lag.lag for lag in lags),
            held_back=self._held_back,
        )

    def _work(self, lags: Iterable[PartitionLag], holders: Iterable[Holder]) -> list[WriterWork]:
        writers = self.settings.writers
        mine: dict[int, list[PartitionLag]] = {writer: [] for writer in range(writers)}
        for lag in lags:
            mine[lag.partition % writers].append(lag)
        held: dict[int, set[str | None]] = {writer: set() for writer in range(writers)}
        for holder in holders:
            if holder.alive:
                held[holder.partition % writers].add(holder.run_id)
        return [self._writer_work(writer, mine[writer], frozenset(held[writer])) for writer in mine]

    def _publisher_work(self, reader: LagReader, lags: Iterable[PartitionLag]) -> list[WriterWork]:
        """Publishing is asked for with the window whose events it will publish: both start."""
        if not reader.publishes:
            return []
        coming = self._is_coming(any(x.lag for x in lags if x.topic == self.settings.raw_topic))
        return [
            WriterWork(
                writer=PUBLISHER,
                needs_window=coming or reader.publication_lag().total > 0,
                busy=False,
                holders=frozenset(h.run_id for h in reader.publishers() if h.alive),
                standby=False,
            )
        ]

    def _is_coming(self, lagging: bool) -> bool:
        """Whether messages have begun to wait: where they go on waiting, nothing is stored."""
        if not lagging:
            self._coming_since = None
            return False
        self._coming_since = self._coming_since or time.monotonic()
        return time.monotonic() - self._coming_since < COMING_SECONDS

    def _writer_work(
        self, writer: int, lags: Sequence[PartitionLag], holders: frozenset[str | None]
    ) -> WriterWork:
        memory = self._memory.setdefault(writer, _WriterMemory())
        needs_window = any(lag.needs_run for lag in lags)
        position = sum(lag.next_offset or 0 for lag in lags)
        moved = position > memory.position >= 0
        memory.position = position
        if moved:
            memory.progress_at = time.time()
        if moved or needs_window:
            memory.active_at = time.monotonic()
        return WriterWork(
            writer=writer,
            needs_window=needs_window,
            busy=time.monotonic() - memory.active_at < BUSY_SECONDS,
            holders=holders,
            progress_at=memory.progress_at,
        )


class _CachedRuns:
    """Run records, read again when they are older than the caller allows."""

    def __init__(self, list_runs: RunLister) -> None:
        self._list_runs: Callable[[], list[Window]] = list_runs
        self._windows: list[Window] = []
        self._read_at = float("-inf")

    def read(self, fresh_seconds: float) -> list[Window]:
        if time.monotonic() - self._read_at >= fresh_seconds:
            self._windows = self._list_runs()
            self._read_at = time.monotonic()
        return self._windows


def explain(outcome: Outcome) -> str:
    """One line for people: how far behind the ledger is, and what each writer does.

    Raises the trouble when it needs somebody's hand (PermanentError, SettingsError).
    """
    if isinstance(outcome.trouble, PermanentError | SettingsError):
        raise outcome.trouble
    if outcome.trouble is not None:
        return f"Cannot see the offsets: {outcome.trouble}. Looking again."
    writers = "; ".join(f"{demand.name}: {demand.reason}" for demand in outcome.demands)
    held_back = "".join(f" {transaction}." for transaction in outcome.held_back)
    return f"{outcome.lag} messages behind. {writers}.{held_back}"


def _shutting_down() -> bool:
    # Ticks run in threads of the code server, and the interpreter waits for them at its end.
    return not threading.main_thread().is_alive()
