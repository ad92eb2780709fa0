"""Errors of PostgreSQL while a batch is written."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.accounting import assert_exactly_once, assert_goes_on, stored
from traffic_platform_tests.faults.feed import Feed, send
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.faults.proxy import Proxy, Trouble

MakeTopic = Callable[..., str]
StartFeed = Callable[..., Feed]
StartRun = Callable[..., RunProcess]


@pytest.mark.parametrize("trouble", ["cut_before", "cut_after"])
def test_a_commit_whose_answer_is_lost_is_looked_up_and_never_sent_again(
    settings: Settings,
    environment: dict[str, str],
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
    trouble: Trouble,
) -> None:
    make_topic()
    feed = start_feed()
    with Proxy.running(postgres.service.port, b"COMMIT\0", 12, trouble) as proxy:
        ingest_run = start_run(
            TRAFFIC_INGEST_DATABASE_URL=proxy.through(environment["TRAFFIC_INGEST_DATABASE_URL"])
        )
        assert proxy.happened.wait(60)
        assert_goes_on(settings, feed, ingest_run)


def test_a_run_whose_connection_is_ended_repeatedly_continues(
    settings: Settings,
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_feed: StartFeed,
    start_run: StartRun,
) -> None:
    make_topic()
    feed = start_feed(rate=1000)
    ingest_run = start_run()
    with postgres.superuser() as superuser:
        for _ in range(8):
            before = stored(settings)
            wait_until(lambda before=before: stored(settings) > before, "the ingest run drains")
            ended = superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = %s and application_name = 'traffic-ingest-0'",
                (database_of(settings),),
            ).fetchall()
            assert ended == [(True,)]
    assert_goes_on(settings, feed, ingest_run)


def test_a_deadlock_with_somebody_else_is_retried(
    settings: Settings,
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_run: StartRun,
) -> None:
    make_topic(partitions=1)
    sent = send(settings, 100)
    with (
        postgres.superuser() as superuser,
        psycopg.connect(postgres.service.url("postgres", database_of(settings))) as other,
    ):
        # The session with the shorter timeout detects the deadlock and aborts: the ingest run.
        timeout = sql.SQL("alter database {} set deadlock_timeout = '3s'")
        superuser.execute(timeout.format(sql.Identifier(database_of(settings))))
        other.execute("set deadlock_timeout = '1h'")
        ingest_run = start_run()
        wait_until(lambda: stored(settings) == 100, "the first part is stored")
        # In the opposite order of the ingest run, which advances the ledger first.
        other.execute("lock table traffic.traffic_readings in exclusive mode")
        sent += send(settings, 100, first=100)
        wait_until(lambda: _waits(superuser, settings), "the ingest run waits for the table")
        other.execute("update traffic.kafka_offsets set updated_at = now()")
    wait_until(lambda: stored(settings) == 200, "the second part is stored")
    ingest_run.end()
    assert "deadlock detected" in ingest_run.log.read_text()
    assert_exactly_once(settings, sent)


def test_a_lock_timeout_is_retried(
    settings: Settings, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=1)
    with psycopg.connect(settings.endpoints().owner_url) as other:
        other.execute("lock table traffic.processed_events in access exclusive mode")
        sent = send(settings, 100)
        ingest_run = start_run()
        wait_until(lambda: "lock timeout" in ingest_run.log.read_text(), "a lock timeout")
        assert stored(settings) == 0
    wait_until(lambda: stored(settings) == 100, "every message is stored")
    ingest_run.end()
    assert_exactly_once(settings, sent)


def test_a_sensor_deleted_by_hand_is_registered_again(
    settings: Settings,
    postgres: PostgresServer,
    make_topic: MakeTopic,
    start_run: StartRun,
) -> None:
    make_topic(partitions=1)
    sent = send(settings, 300)
    ingest_run = start_run()
    wait_until(lambda: stored(settings) == 300, "the first part is stored")
    with psycopg.connect(postgres.service.url("postgres", database_of(settings))) as superuser:
        superuser.execute("set session_replication_role = replica")  # no foreign key applies
        superuser.execute("delete from traffic.sensors")
    sent += send(settings, 300, first=300)
    wait_until(lambda: stored(settings) == 600, "the second part is stored")
    ingest_run.end()
    assert_exactly_once(settings, sent)


def test_a_partition_dropped_under_a_run_is_created_again(
    settings: Settings, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=1)
    sent = send(settings, 50)
    ingest_run = start_run()
    wait_until(lambda: stored(settings) == 50, "the first part is stored")
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as owner:
        owner.execute(
            "alter table traffic.processed_events detach partition traffic.processed_events_202510"
        )
        owner.execute("alter table traffic.processed_events_202510 rename to kept")
        sent += send(settings, 50, first=50)
        wait_until(lambda: stored(settings) == 100, "the second part is stored")
        ingest_run.end()
        owner.execute("insert into traffic.processed_events select * from traffic.kept")
    assert_exactly_once(settings, sent)


def test_a_lasting_error_ends_the_run_after_the_time_of_an_outage(
    settings: Settings, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=1)
    sent = send(settings, 50)
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as owner:
        owner.execute(
            "create function traffic.refuse() returns trigger language plpgsql as"
            " $$begin raise 'no space left' using errcode = 'disk_full'; end$$;"
            "create trigger refuse before insert on traffic.micro_batches"
            " execute function traffic.refuse()"
        )
        code, output = start_run(limits={"outage_seconds": 3}).ended()
        assert (code, output["error"]) == (1, "TransientError")
        assert "no space left" in output["message"]
        owner.execute("drop function traffic.refuse cascade")
    ingest_run = start_run()
    wait_until(lambda: stored(settings) == 50, "every message is stored")
    ingest_run.end()
    assert_exactly_once(settings, sent)


def database_of(settings: Settings) -> str:
    """Name of the test's database."""
    return settings.endpoints().owner_url.rpartition("/")[2]


def _waits(superuser: psycopg.Connection, settings: Settings) -> bool:
    """Return True while the run waits for a lock."""
    return bool(
        superuser.execute(
            "select 1 from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
            " and application_name = 'traffic-ingest-0'",
            (database_of(settings),),
        ).fetchall()
    )
