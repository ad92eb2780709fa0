"""Two runs of the same partitions: one drains, the other waits and takes over."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.accounting import assert_exactly_once, stored
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.faults.proxy import Proxy

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


def test_the_second_of_two_runs_takes_over_when_the_first_ends(
    settings: Settings, make_topic: MakeTopic, start_feed: StartFeed, start_run: StartRun
) -> None:
    make_topic()
    feed = start_feed()
    runs = {name: start_run(name) for name in ("one", "two")}
    wait_until(lambda: stored(settings) > 500, "an ingest run drains")
    [first] = _drained_by(settings)
    runs[first].end()
    [second] = runs.keys() - {first}
    wait_until(lambda: second in _drained_by(settings), "the other takes over")
    sent = feed.stop()
    wait_until(lambda: stored(settings) == len(sent), "every message is stored")
    runs[second].end()
    assert _drained_by(settings) == [first, second]
    assert_exactly_once(settings, sent)


@pytest.mark.parametrize("point", ["before_database_commit", "after_database_commit"])
def test_a_run_paused_beyond_its_lease_is_replaced_and_does_no_harm_when_it_resumes(
    settings: Settings,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
    point: str,
) -> None:
    make_topic()
    feed = start_feed()
    paused = start_run("paused", TRAFFIC_LEASE_SECONDS="2", TRAFFIC_FAULT_POINT=f"{point}:3:stop")
    wait_until(lambda: paused.paused, "the ingest run pauses itself")
    successor = start_run("successor", TRAFFIC_LEASE_SECONDS="2")
    wait_until(lambda: "successor" in _drained_by(settings), "the successor takes over")
    paused.send(signal.SIGCONT)
    before = stored(settings)
    wait_until(lambda: stored(settings) > before + 200, "the successor continues")
    assert _drained_by(settings) == ["paused", "successor"]
    successor.end()
    before = stored(settings)
    wait_until(lambda: stored(settings) > before, "the resumed run takes over")
    sent = feed.stop()
    wait_until(lambda: stored(settings) == len(sent), "every message is stored")
    paused.end()
    assert_exactly_once(settings, sent)


def test_a_run_whose_network_goes_dark_inside_a_copy_is_replaced(
    settings: Settings,
    environment: dict[str, str],
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
) -> None:
    # No timeout of the server applies while it waits for the rest of a COPY.
    make_topic()
    feed = start_feed()
    with Proxy.running(postgres.service.port, b"copy traffic.raw_events", 4, "dark") as proxy:
        cut_off = start_run(
            "cut off",
            TRAFFIC_LEASE_SECONDS="2",
            TRAFFIC_INGEST_DATABASE_URL=proxy.through(environment["TRAFFIC_INGEST_DATABASE_URL"]),
        )
        assert proxy.happened.wait(60)
        successor = start_run("successor", TRAFFIC_LEASE_SECONDS="2")
        wait_until(lambda: "successor" in _drained_by(settings), "the successor takes over")
        sent = feed.stop()
        wait_until(lambda: stored(settings) == len(sent), "every message is stored")
        successor.end()
        cut_off.kill()
    assert_exactly_once(settings, sent)


def test_two_writers_of_one_topic_keep_to_their_own_partitions_when_both_are_killed(
    settings: Settings, make_topic: MakeTopic, start_feed: StartFeed, start_run: StartRun
) -> None:
    make_topic()
    feed = start_feed(rate=1000)
    points = ("before_database_commit:3", "after_database_commit:3")
    killed = [start_run("killed", n, 2, TRAFFIC_FAULT_POINT=points[n]) for n in range(2)]
    assert [ingest_run.ended()[0] for ingest_run in killed] == [-signal.SIGKILL] * 2
    last = [start_run(f"last-{n}", n, 2) for n in range(2)]
    wait_until(lambda: set(_drained_by(settings)) >= {"last-0", "last-1"}, "both continue")
    sent = feed.stop()
    wait_until(lambda: stored(settings) == len(sent), "every message is stored")
    for ingest_run in last:
        ingest_run.end()
    with psycopg.connect(settings.endpoints().read_url) as connection:
        both = connection.execute(
            "select run_id, partition % 2 from traffic.micro_batches"
            " where run_id like 'last%' group by 1, 2 order by 1"
        ).fetchall()
    assert both == [("last-0", 0), ("last-1", 1)]
    assert_exactly_once(settings, sent)


def _drained_by(settings: Settings) -> list[str]:
    """Return the runs that stored batches, in the order in which they took over."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        names = connection.execute(
            "select run_id from traffic.micro_batches group by batch_id, run_id order by batch_id"
        ).fetchall()
    return [name for name, _ in itertools.groupby(name for (name,) in names)]
