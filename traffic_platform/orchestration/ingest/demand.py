"""The decision which runs to start: a pure function of lag, locks, runs and the time.

A writer (an index w of `writers`) owns the partitions p with p % writers == w. While it has work,
one ingest run holds the locks of its partitions and drains. A second run is a hot standby: it waits
for the locks and takes over the moment the holder ends or dies. So at most two runs of a writer are
queued, starting or started, unless some of them are stuck.

The locks say who drains, never the run statuses: a run may look started long after its process is
gone, and a run that PostgreSQL has disconnected may still look well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

# The writer index of the publisher. It is planned like a writer but needs no standby: nobody waits
# for the clean stream as they wait for the tables, and a start takes two seconds.
PUBLISHER = -1

# A run that holds no lock this long after its request counts as stuck. A start takes 2 s on a
# quiet machine and 10 s on a busy one.
PENDING_SECONDS = 20.0
# The time allowed for the next run doubles with every stuck one (20, 40, … 320 s). Otherwise a
# machine that starts nothing in time would be buried in starts.
MAX_DOUBLINGS = 4
# Pause after failures in a row without progress: none after the first, then 2, 4, … 60 s.
LONGEST_BACKOFF_SECONDS = 60.0
# Runs that end within this time of each other have one cause (a killed machine, a lost database)
# and count as one failure.
SAME_INCIDENT_SECONDS = 3.0


class State(StrEnum):
    """Dagster's status of a run, as far as the decision needs it."""

    PENDING = "pending"  # queued or starting
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True)
class StreamRun:
    """A run of the ingest job or of the publisher. Times are seconds since 1970 UTC.

    `gone`: its process has ended, whatever its state says. `elsewhere`: it was launched on another
    host than newer runs, so that host may be gone, and the run with it.
    """

    run_id: str
    writer: int
    state: State
    created_at: float
    ended_at: float | None = None
    gone: bool = False
    elsewhere: bool = False

    @property
    def in_progress(self) -> bool:
        """True if the run works, or may do so soon."""
        return self.state in (State.PENDING, State.STARTED) and not self.gone


@dataclass(frozen=True)
class WriterWork:
    """The state of a writer's partitions.

    `needs_run`: messages wait, or a partition has a new generation. `busy`: that was so a moment
    ago, which keeps the standby of a thin stream. `holders`: ids of the runs that hold locks and
    have renewed their lease (None: a run outside Dagster). `progress_at`: when the ledger, or the
    publisher, last advanced (0: never). `standby`: keep one more run behind the holder.
    """

    writer: int
    needs_run: bool
    busy: bool
    holders: frozenset[str | None]
    progress_at: float = 0.0
    standby: bool = True


@dataclass(frozen=True)
class Demand:
    """The decision for one writer, with the reason that people read in the tick."""

    writer: int
    ask: bool
    reason: str

    @property
    def name(self) -> str:
        """Name of the writer, or of the publisher."""
        return "publisher" if self.writer == PUBLISHER else f"writer {self.writer}"


def plan_runs(work: Iterable[WriterWork], runs: Sequence[StreamRun], now: float) -> list[Demand]:
    """Decide for every writer whether to request a run; at most one each."""
    return [
        _plan_writer(state, [run for run in runs if run.writer == state.writer], now)
        for state in work
    ]


def _plan_writer(work: WriterWork, runs: Sequence[StreamRun], now: float) -> Demand:
    if not (work.needs_run or (work.busy and work.holders)):
        return Demand(work.writer, False, "nothing to do")
    waiting = [run for run in runs if run.in_progress and run.run_id not in work.holders]
    served = _served_by(work, waiting, now)
    if served is not None:
        return Demand(work.writer, False, served)
    pause = backoff_left(runs, work.progress_at, now)
    if pause > 0:
        return Demand(work.writer, False, f"the last run failed; next try in {pause:.0f} s")
    if work.holders:
        return Demand(work.writer, True, f"a successor for {_names(work.holders)}")
    return Demand(work.writer, True, "messages wait and no run drains them")


def _served_by(work: WriterWork, waiting: Sequence[StreamRun], now: float) -> str | None:
    """Return why no further run is needed, None if one is."""
    if work.holders and not work.standby:
        return f"{_names(work.holders)} is in progress"
    if not waiting:
        return None
    newest = max(waiting, key=lambda run: run.created_at)
    in_time = now - newest.created_at < _start_timeout(waiting)
    if not work.holders:
        return f"{newest.run_id[:8]} is starting" if in_time else None
    # A standby may wait as long as its predecessor drains, but one on another host may be gone.
    if in_time or not all(run.elsewhere for run in waiting):
        return f"{_names(work.holders)} drains, {newest.run_id[:8]} waits"
    return None


def backoff_left(runs: Iterable[StreamRun], progress_at: float, now: float) -> float:
    """Return the seconds to wait because of failures since the last success, cancel or progress."""
    ended = sorted(
        (
            (run.ended_at, run.state)
            for run in runs
            if run.ended_at is not None and not run.in_progress
        ),
        reverse=True,
    )
    incidents = 0
    last: float | None = None
    for ended_at, state in ended:
        if state is not State.FAILED or ended_at <= progress_at:
            break
        if last is None or last - ended_at > SAME_INCIDENT_SECONDS:
            incidents += 1
        last = ended_at
    if incidents < 2:
        return 0.0
    pause = min(LONGEST_BACKOFF_SECONDS, 2.0 ** (incidents - 1))
    return max(0.0, ended[0][0] + pause - now)


def _start_timeout(waiting: Sequence[StreamRun]) -> float:
    return PENDING_SECONDS * 2.0 ** min(len(waiting) - 1, MAX_DOUBLINGS)


def _names(holders: frozenset[str | None]) -> str:
    return ", ".join(
        sorted(holder[:8] if holder else "a run outside Dagster" for holder in holders)
    )
