"""Which windows to ask for: a pure function of lag, locks, runs and the time.

A writer (an index w of `writers`) owns the partitions p with p % writers == w. While there is work
for it, one window holds its partitions' locks and drains, and one more is kept warm behind it: a
hot standby that waits for the locks and takes over the moment the holder ends or dies. So at most
two windows of a writer are queued, starting or started, unless some of them are stuck.

Who drains is read from the locks, never from run statuses: a run may look started long after its
process is gone, and a run that PostgreSQL has thrown out may still look well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

# The index, among the writers, of the one that publishes. It is planned like them, but needs no
# standby: nobody waits for the clean stream as the tables do, and a start takes two seconds.
PUBLISHER = -1

# A window that holds no lock this long after it was asked for counts as stuck. A start takes 2 s
# on a quiet machine and 10 s on a busy one.
PENDING_SECONDS = 20.0
# With every stuck window the patience for the next one doubles (20, 40, … 320 s), so that a
# machine on which nothing starts in time is not buried in starts.
MAX_DOUBLINGS = 4
# Failures one after another without progress: ask again at once, then after 2, 4, … 60 s.
LONGEST_BACKOFF_SECONDS = 60.0
# Windows that end within this time of each other were ended by one cause (a killed machine, a lost
# database) and count as one failure.
SAME_INCIDENT_SECONDS = 3.0


class State(StrEnum):
    """What Dagster says of a run, as far as a plan needs it."""

    PENDING = "pending"  # queued or starting
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True)
class Window:
    """A run of the window job. Times are seconds since 1970 UTC.

    `gone`: its process is known to have ended, whatever its state says. `elsewhere`: it was
    launched on another host than newer windows, so that its host may be no more, with it.
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
        """Whether it is, or may soon be, at work."""
        return self.state in (State.PENDING, State.STARTED) and not self.gone


@dataclass(frozen=True)
class WriterWork:
    """A writer's partitions at one moment.

    `needs_window`: messages wait, or a log has changed. `busy`: so it was a moment ago, which keeps
    a thin stream's standby. `holders`: the run ids that hold locks and have renewed their lease
    (None: a window outside Dagster). `progress_at`: when the ledger was last seen to move (0: not
    yet). `standby`: whether one more run is kept warm behind the holder.
    """

    writer: int
    needs_window: bool
    busy: bool
    holders: frozenset[str | None]
    progress_at: float = 0.0
    standby: bool = True


@dataclass(frozen=True)
class Demand:
    """What to do for one writer now, and why (for the tick that people read)."""

    writer: int
    ask: bool
    reason: str

    @property
    def name(self) -> str:
        """Who it is about."""
        return "publisher" if self.writer == PUBLISHER else f"writer {self.writer}"


def plan_runs(work: Iterable[WriterWork], windows: Sequence[Window], now: float) -> list[Demand]:
    """Decide for every writer whether to ask for a window; at most one each."""
    return [
        _plan_writer(state, [w for w in windows if w.writer == state.writer], now) for state in work
    ]


def _plan_writer(work: WriterWork, windows: Sequence[Window], now: float) -> Demand:
    if not (work.needs_window or (work.busy and work.holders)):
        return Demand(work.writer, False, "nothing to do")
    waiting = [w for w in windows if w.in_progress and w.run_id not in work.holders]
    attended = _attended_by(work, waiting, now)
    if attended is not None:
        return Demand(work.writer, False, attended)
    pause = backoff_left(windows, work.progress_at, now)
    if pause > 0:
        return Demand(work.writer, False, f"the last window failed; next try in {pause:.0f} s")
    if work.holders:
        return Demand(work.writer, True, f"a successor for {_names(work.holders)}")
    return Demand(work.writer, True, "messages wait and nobody drains")


def _attended_by(work: WriterWork, waiting: Sequence[Window], now: float) -> str | None:
    """Why no further run is wanted; None: one is."""
    if work.holders and not work.standby:
        return f"{_names(work.holders)} is at work"
    if not waiting:
        return None
    newest = _newest(waiting)
    patient = now - newest.created_at < _patience(waiting)
    if not work.holders:
        return f"{newest.run_id[:8]} is starting" if patient else None
    # A successor may wait as long as its predecessor drains; of one elsewhere nobody can say.
    if patient or not all(w.elsewhere for w in waiting):
        return f"{_names(work.holders)} drains, {newest.run_id[:8]} waits"
    return None


def backoff_left(windows: Iterable[Window], progress_at: float, now: float) -> float:
    """Seconds to wait because of failures since the last success, canceled run or progress."""
    ended = sorted(
        ((w.ended_at, w.state) for w in windows if w.ended_at is not None and not w.in_progress),
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


def _patience(waiting: Sequence[Window]) -> float:
    return PENDING_SECONDS * 2.0 ** min(len(waiting) - 1, MAX_DOUBLINGS)


def _newest(windows: Sequence[Window]) -> Window:
    return max(windows, key=lambda window: window.created_at)


def _names(holders: frozenset[str | None]) -> str:
    return ", ".join(
        sorted(holder[:8] if holder else "a window outside Dagster" for holder in holders)
    )
