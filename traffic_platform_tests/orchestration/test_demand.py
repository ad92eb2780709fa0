"""Which windows are asked for, as a table of situations."""

from __future__ import annotations

import pytest

from traffic_platform.orchestration.ingest.demand import (
    LONGEST_BACKOFF_SECONDS,
    PENDING_SECONDS,
    Demand,
    State,
    Window,
    WriterWork,
    backoff_left,
    plan_runs,
)

NOW = 1_000_000.0


def work(
    *holders: str | None,
    writer: int = 0,
    needs_window: bool = True,
    busy: bool = True,
    progress_at: float = 0.0,
) -> WriterWork:
    """A writer with messages waiting, drained by `holders`."""
    return WriterWork(writer, needs_window, busy, frozenset(holders), progress_at)


def window(
    run_id: str,
    state: State = State.STARTED,
    age: float = 60.0,
    *,
    writer: int = 0,
    ended: float | None = None,
    gone: bool = False,
    elsewhere: bool = False,
) -> Window:
    """A run asked for `age` seconds ago that ended `ended` seconds ago."""
    at = None if ended is None else NOW - ended
    return Window(run_id, writer, state, NOW - age, at, gone, elsewhere)


def failures(*ended: float) -> list[Window]:
    """Windows that failed so many seconds ago."""
    return [window(f"f{i}", State.FAILED, when + 5, ended=when) for i, when in enumerate(ended)]


def plan(state: WriterWork, *windows: Window) -> Demand:
    """The plan for one writer."""
    return plan_runs([state], windows, NOW)[0]


class TestNobodyDrains:
    def test_waiting_messages_ask_for_a_window(self) -> None:
        assert plan(work()).ask

    def test_a_quiet_writer_asks_for_none(self) -> None:
        assert not plan(work(needs_window=False, busy=False)).ask

    def test_a_writer_that_was_busy_until_its_last_window_ended_asks_for_none(self) -> None:
        assert not plan(work(needs_window=False, busy=True)).ask

    @pytest.mark.parametrize("state", [State.PENDING, State.STARTED])
    def test_a_window_that_is_starting_is_waited_for(self, state: State) -> None:
        assert not plan(work(), window("a", state, age=PENDING_SECONDS - 1)).ask

    @pytest.mark.parametrize("state", [State.PENDING, State.STARTED])
    def test_a_window_that_got_no_lock_in_time_is_not_waited_for(self, state: State) -> None:
        assert plan(work(), window("a", state, age=PENDING_SECONDS + 1)).ask

    def test_patience_doubles_with_every_stuck_window(self) -> None:
        stuck = [window("a", age=900), window("b", age=800)]
        assert plan(work(), *stuck).ask
        fresh = window("c", State.PENDING, age=3 * PENDING_SECONDS)
        assert not plan(work(), *stuck, fresh).ask
        late = window("c", State.PENDING, age=5 * PENDING_SECONDS)
        assert plan(work(), *stuck, late).ask

    def test_windows_whose_processes_are_gone_do_not_count(self) -> None:
        assert plan(work(), window("a", age=3, gone=True), window("b", age=2, gone=True)).ask

    def test_a_window_of_another_writer_does_not_count(self) -> None:
        assert plan(work(), window("a", age=1, writer=1)).ask

    def test_a_standby_that_is_about_to_take_over_lets_its_own_successor_be_asked_for(self) -> None:
        ended = window("a", State.SUCCEEDED, age=660, ended=0.1)
        assert plan(work(), ended, window("b", age=600)).ask


class TestSomebodyDrains:
    def test_a_busy_window_gets_one_successor(self) -> None:
        assert plan(work("a"), window("a")).ask

    @pytest.mark.parametrize("state", [State.PENDING, State.STARTED])
    def test_a_successor_that_waits_is_enough_however_long(self, state: State) -> None:
        assert not plan(work("a"), window("a"), window("b", state, age=500)).ask

    def test_a_successor_of_a_former_host_is_waited_for_no_longer_than_a_start_takes(self) -> None:
        stray = window("b", age=PENDING_SECONDS + 1, elsewhere=True)
        assert plan(work("a"), window("a"), stray).ask
        fresh = window("b", age=PENDING_SECONDS - 1, elsewhere=True)
        assert not plan(work("a"), window("a"), fresh).ask
        assert not plan(work("a"), window("a"), stray, window("c", age=500)).ask

    def test_a_successor_that_is_gone_is_replaced(self) -> None:
        assert plan(work("a"), window("a"), window("b", gone=True)).ask

    def test_a_successor_that_ended_is_replaced(self) -> None:
        assert plan(work("a"), window("a"), window("b", State.CANCELED, ended=1)).ask

    def test_a_thin_stream_keeps_its_successor_between_two_messages(self) -> None:
        assert plan(work("a", needs_window=False, busy=True), window("a")).ask

    def test_a_window_that_idles_gets_no_successor(self) -> None:
        assert not plan(work("a", needs_window=False, busy=False), window("a")).ask

    def test_a_window_outside_dagster_gets_a_successor(self) -> None:
        demand = plan(work(None))
        assert demand.ask
        assert "outside Dagster" in demand.reason

    def test_a_window_that_dagster_has_forgotten_but_that_holds_the_locks_counts(self) -> None:
        assert not plan(work("a"), window("b", age=500)).ask

    def test_never_more_than_two_windows_are_in_progress_while_one_drains(self) -> None:
        windows = [window("a")]
        for step in range(5):
            if plan(work("a"), *windows).ask:
                windows.append(window(f"n{step}", State.PENDING, age=0))
        assert len(windows) == 2


class TestBackoff:
    @pytest.mark.parametrize(
        ("ended", "pause"),
        [
            ((), 0),
            ((0,), 0),
            ((0, 10), 2),
            ((0, 10, 20), 4),
            ((0, 10, 20, 30), 8),
            ((0, 10, 20, 30, 40), 16),
            ((0, 10, 20, 30, 40, 50), 32),
            (tuple(range(0, 120, 10)), LONGEST_BACKOFF_SECONDS),
        ],
    )
    def test_the_pause_grows_with_failures_in_a_row(
        self, ended: tuple[float, ...], pause: float
    ) -> None:
        assert backoff_left(failures(*ended), 0.0, NOW) == pause

    def test_the_pause_counts_from_the_last_failure(self) -> None:
        assert backoff_left(failures(1.5, 10, 20), 0.0, NOW) == 2.5
        assert backoff_left(failures(4, 10, 20), 0.0, NOW) == 0

    def test_windows_that_died_together_count_once(self) -> None:
        assert backoff_left(failures(0, 1, 2), 0.0, NOW) == 0

    def test_a_success_ends_the_row(self) -> None:
        success = window("s", State.SUCCEEDED, ended=15)
        assert backoff_left([*failures(0, 30, 40), success], 0.0, NOW) == 0

    def test_failures_before_the_last_progress_are_forgiven(self) -> None:
        assert backoff_left(failures(0, 10, 20, 30), NOW - 5, NOW) == 0

    def test_a_window_that_failed_is_asked_for_again_at_once(self) -> None:
        assert plan(work(), *failures(0.1)).ask

    def test_windows_that_keep_failing_are_asked_for_after_the_pause(self) -> None:
        assert not plan(work(), *failures(1, 10)).ask
        assert plan(work(), *failures(2.1, 10)).ask

    def test_a_pause_holds_back_a_successor_too(self) -> None:
        assert not plan(work("a"), window("a"), *failures(1, 10)).ask


def test_each_writer_is_planned_for_itself() -> None:
    states = [work(writer=0), work("b", writer=1), work(writer=2, needs_window=False, busy=False)]
    windows = [window("b", writer=1), window("c", writer=1, age=5)]
    assert [demand.ask for demand in plan_runs(states, windows, NOW)] == [True, False, False]
