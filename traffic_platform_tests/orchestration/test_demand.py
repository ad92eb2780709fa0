"""Decisions about runs to start, as a table of situations."""

from __future__ import annotations

import pytest

from traffic_platform.orchestration.ingest.demand import (
    LONGEST_BACKOFF_SECONDS,
    PENDING_SECONDS,
    PUBLISHER,
    Demand,
    State,
    StreamRun,
    WriterWork,
    backoff_left,
    plan_runs,
)

NOW = 1_000_000.0


def work(
    *holders: str | None,
    writer: int = 0,
    needs_run: bool = True,
    busy: bool = True,
    progress_at: float = 0.0,
) -> WriterWork:
    """A writer with messages waiting, drained by `holders`."""
    return WriterWork(writer, needs_run, busy, frozenset(holders), progress_at)


def ingest_run(
    run_id: str,
    state: State = State.STARTED,
    age: float = 60.0,
    *,
    writer: int = 0,
    ended: float | None = None,
    gone: bool = False,
    elsewhere: bool = False,
) -> StreamRun:
    """A run that was requested `age` seconds ago and ended `ended` seconds ago."""
    at = None if ended is None else NOW - ended
    return StreamRun(run_id, writer, state, NOW - age, at, gone, elsewhere)


def failures(*ended: float) -> list[StreamRun]:
    """Runs that failed so many seconds ago."""
    return [ingest_run(f"f{i}", State.FAILED, at + 5, ended=at) for i, at in enumerate(ended)]


def plan(state: WriterWork, *runs: StreamRun) -> Demand:
    """The decision for one writer."""
    return plan_runs([state], runs, NOW)[0]


class TestNoRunDrains:
    def test_waiting_messages_request_a_run(self) -> None:
        assert plan(work()).ask

    def test_a_quiet_writer_requests_none(self) -> None:
        assert not plan(work(needs_run=False, busy=False)).ask

    def test_a_writer_that_was_busy_until_its_last_run_ended_requests_none(self) -> None:
        assert not plan(work(needs_run=False, busy=True)).ask

    @pytest.mark.parametrize("state", [State.PENDING, State.STARTED])
    def test_a_starting_run_has_time_to_get_its_locks(self, state: State) -> None:
        assert not plan(work(), ingest_run("a", state, age=PENDING_SECONDS - 1)).ask
        assert plan(work(), ingest_run("a", state, age=PENDING_SECONDS)).ask

    def test_the_time_allowed_doubles_with_every_stuck_run(self) -> None:
        stuck = [ingest_run("a", age=900), ingest_run("b", age=800)]
        assert plan(work(), *stuck).ask
        fresh = ingest_run("c", State.PENDING, age=3 * PENDING_SECONDS)
        assert not plan(work(), *stuck, fresh).ask
        late = ingest_run("c", State.PENDING, age=5 * PENDING_SECONDS)
        assert plan(work(), *stuck, late).ask

    def test_the_time_allowed_doubles_four_times_at_most(self) -> None:
        stuck = [ingest_run(f"s{number}", age=900) for number in range(9)]
        assert not plan(work(), *stuck, ingest_run("c", age=319)).ask
        assert plan(work(), *stuck, ingest_run("c", age=321)).ask

    def test_runs_whose_processes_are_gone_do_not_count(self) -> None:
        assert plan(work(), ingest_run("a", age=3, gone=True), ingest_run("b", gone=True)).ask

    def test_a_run_of_another_writer_does_not_count(self) -> None:
        assert plan(work(), ingest_run("a", age=1, writer=1)).ask

    def test_a_standby_that_is_about_to_take_over_may_have_a_successor(self) -> None:
        ended = ingest_run("a", State.SUCCEEDED, age=660, ended=0.1)
        assert plan(work(), ended, ingest_run("b", age=600)).ask


class TestOneRunDrains:
    def test_a_busy_run_gets_one_successor(self) -> None:
        assert plan(work("a"), ingest_run("a")).ask

    @pytest.mark.parametrize("state", [State.PENDING, State.STARTED])
    def test_a_waiting_successor_suffices_however_long_it_waits(self, state: State) -> None:
        assert not plan(work("a"), ingest_run("a"), ingest_run("b", state, age=500)).ask

    def test_a_successor_on_a_former_host_may_take_no_longer_than_a_start(self) -> None:
        stray = ingest_run("b", age=PENDING_SECONDS + 1, elsewhere=True)
        assert plan(work("a"), ingest_run("a"), stray).ask
        fresh = ingest_run("b", age=PENDING_SECONDS - 1, elsewhere=True)
        assert not plan(work("a"), ingest_run("a"), fresh).ask
        assert not plan(work("a"), ingest_run("a"), stray, ingest_run("c", age=500)).ask

    def test_a_successor_that_is_gone_is_replaced(self) -> None:
        assert plan(work("a"), ingest_run("a"), ingest_run("b", gone=True)).ask

    def test_a_successor_that_ended_is_replaced(self) -> None:
        assert plan(work("a"), ingest_run("a"), ingest_run("b", State.CANCELED, ended=1)).ask

    def test_a_thin_stream_keeps_its_successor_between_two_messages(self) -> None:
        assert plan(work("a", needs_run=False, busy=True), ingest_run("a")).ask

    def test_an_idle_run_gets_no_successor(self) -> None:
        assert not plan(work("a", needs_run=False, busy=False), ingest_run("a")).ask

    def test_a_run_outside_dagster_gets_a_successor(self) -> None:
        demand = plan(work(None))
        assert demand.ask
        assert "outside Dagster" in demand.reason

    def test_a_run_that_dagster_has_forgotten_counts_while_it_holds_the_locks(self) -> None:
        assert not plan(work("a"), ingest_run("b", age=500)).ask

    def test_never_more_than_two_runs_are_in_progress_while_one_drains(self) -> None:
        runs = [ingest_run("a")]
        for step in range(5):
            if plan(work("a"), *runs).ask:
                runs.append(ingest_run(f"n{step}", State.PENDING, age=0))
        assert len(runs) == 2

    def test_a_publisher_gets_no_successor_by_default_a_writer_does(self) -> None:
        publisher = WriterWork(PUBLISHER, True, True, frozenset({"a"}), standby=False)
        assert not plan(publisher, ingest_run("a", writer=PUBLISHER)).ask
        assert WriterWork(0, True, True, frozenset({"a"})).standby


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

    @pytest.mark.parametrize(("apart", "pause"), [(3.0, 0), (3.5, 2)])
    def test_runs_that_end_within_three_seconds_count_once(
        self, apart: float, pause: float
    ) -> None:
        assert backoff_left(failures(0, apart), 0.0, NOW) == pause

    @pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELED])
    def test_a_success_or_a_cancel_ends_the_row(self, state: State) -> None:
        ended = ingest_run("s", state, ended=15)
        assert backoff_left([*failures(0, 30, 40), ended], 0.0, NOW) == 0

    def test_failures_before_the_last_progress_are_forgotten(self) -> None:
        assert backoff_left(failures(0, 10, 20, 30), NOW - 5, NOW) == 0

    def test_a_failure_at_the_moment_of_progress_is_forgotten(self) -> None:
        assert backoff_left(failures(1, 10, 20), NOW - 10, NOW) == 0.0
        assert backoff_left(failures(1, 10, 20), NOW - 10.5, NOW) == 1.0

    def test_the_longest_pause_is_a_minute(self) -> None:
        assert backoff_left(failures(*range(0, 200, 10)), 0.0, NOW) == 60.0

    def test_a_run_that_is_in_progress_is_no_failure(self) -> None:
        """Dagster may know when an attempt ended while the run goes on."""
        started = [ingest_run(f"s{at}", ended=at) for at in (2, 3)]
        assert backoff_left([*failures(0, 10), *started], 0.0, NOW) == 2.0

    def test_after_one_failure_the_next_run_starts_at_once(self) -> None:
        assert plan(work(), *failures(0.1)).ask

    def test_runs_that_keep_failing_start_again_after_the_pause(self) -> None:
        assert not plan(work(), *failures(1, 10)).ask
        assert plan(work(), *failures(2.1, 10)).ask

    def test_a_pause_holds_back_a_successor_too(self) -> None:
        assert not plan(work("a"), ingest_run("a"), *failures(1, 10)).ask

    def test_a_run_counts_as_alive_and_at_home_unless_dagster_says_otherwise(self) -> None:
        run = StreamRun("a", 0, State.STARTED, NOW - 500)
        assert run.in_progress
        assert not plan(work("b"), run).ask


def test_a_demand_names_its_writer_or_the_publisher() -> None:
    assert Demand(3, True, "").name == "writer 3"
    assert Demand(PUBLISHER, True, "").name == "publisher"


def test_each_writer_is_planned_for_itself() -> None:
    states = [work(writer=0), work("b", writer=1), work(writer=2, needs_run=False, busy=False)]
    runs = [ingest_run("b", writer=1), ingest_run("c", writer=1, age=5)]
    assert [demand.ask for demand in plan_runs(states, runs, NOW)] == [True, False, False]
