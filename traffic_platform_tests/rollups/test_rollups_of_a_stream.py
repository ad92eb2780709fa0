"""From Kafka to roll-ups: ingest runs, reprocessing, imports, and roll-ups beside them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.rollups import BackgroundRollups, beside_ingest, recompute, roll_up_all
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.once import drain, event, rows
from traffic_platform_tests.rollups.rolled import everything

MakeTopic = Callable[..., str]
Produce = Callable[..., None]
SATURDAY = date(2025, 10, 4)


def samples(settings: Settings) -> list[tuple[str, str, int]]:
    """Sensor, time of day and readings of each 5-minute row."""
    return rows(
        settings,
        "select external_id, to_char(bucket at time zone 'UTC', 'HH24:MI'), samples"
        " from traffic.readings_5min join traffic.sensors using (sensor_id) order by 1, 2",
    )


def assert_as_recomputed(settings: Settings) -> None:
    """Nothing is dirty, and a recomputation changes nothing."""
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as owner:
        assert owner.execute("select count(*) from traffic.dirty_buckets").fetchone() == (0,)
        before = everything(owner)
        days = [SATURDAY + timedelta(days=day) for day in (-1, 0, 1)]
        recompute(owner, days)
        assert everything(owner) == before


@pytest.mark.parametrize("batch_messages", [20_000, 7])
def test_every_bucket_that_a_run_touches_is_rolled_up(
    settings: Settings, make_topic: MakeTopic, produce: Produce, batch_messages: int
) -> None:
    make_topic()
    produce(
        event(sensor, minute, volume=600, occupancy=5.0)
        for minute in (*range(11), 5, 5, -1, 719, 720)
        for sensor in ("a", "b")
    )
    produce([event("a", 3, speed=20.0, volume=1200)])
    drain(settings.model_copy(update={"batch_messages": batch_messages}))
    result = roll_up_all(settings)
    assert result.buckets >= 12
    of_one = [("00:00", 1), ("11:55", 1), ("12:00", 5), ("12:05", 5), ("12:10", 1), ("23:55", 1)]
    assert samples(settings) == [(name, *one) for name in ("a", "b") for one in of_one]
    assert_as_recomputed(settings)


def test_roll_ups_run_beside_a_run_and_return_their_results(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    ending = threading.Event()
    limits = RunLimits(seconds=60, idle_seconds=60)
    with BackgroundRollups(settings) as folds:
        ingest_run = threading.Thread(
            target=run_ingest,
            args=(settings, [settings.raw_topic]),
            kwargs={
                "limits": limits,
                "run_id": None,
                "stop": ending.is_set,
                "stored": folds.stored,
            },
        )
        ingest_run.start()
        try:
            produce([event("a")])
            while not samples(settings):  # the ingest run goes on meanwhile
                assert ingest_run.is_alive()
            produce([event("a", 1)])
        finally:
            while samples(settings) != [("a", "12:00", 2)]:
                assert ingest_run.is_alive()
            ending.set()
            ingest_run.join()
    changes = folds.take().of("readings_daily", SATURDAY)
    assert (changes.added, changes.changed) == (1, 1)
    assert folds.take().tables == {}


def test_reprocessed_messages_are_rolled_up(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([event("a"), event("a", 1).replace(b"+00:00", b"")])
    drain(settings)
    roll_up_all(settings)
    assert samples(settings) == [("a", "12:00", 1)]
    lenient = settings.model_copy(update={"naive_timezone": "UTC"})
    assert reprocess_rejected(lenient, QuarantineFilter()).replayed == 1
    roll_up_all(settings)
    assert samples(settings) == [("a", "12:00", 2)]
    assert_as_recomputed(settings)


def test_an_error_of_a_roll_up_is_logged_and_retried_and_stops_nothing(
    settings: Settings,
    make_topic: MakeTopic,
    produce: Produce,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(beside_ingest, "_RETRY_SECONDS", (0.05, 0.1))
    make_topic()
    produce([event("a")])
    with psycopg.connect(settings.endpoints().owner_url, autocommit=True) as owner:
        owner.execute("alter table traffic.readings_daily rename to away")
        with caplog.at_level(logging.WARNING), BackgroundRollups(settings) as folds:
            assert drain(settings).processed == 1
            folds.stored()
            while "roll-up failed and will be retried" not in caplog.text:
                pass
            assert samples(settings) == []
            owner.execute("alter table traffic.away rename to readings_daily")
            while not samples(settings):
                pass
    assert_as_recomputed(settings)


def test_without_postgresql_roll_ups_end_in_time_and_buckets_stay_dirty(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([event("a")])
    drain(settings)
    nowhere = settings.model_copy(
        update={
            "ingest_database_url": type(settings.ingest_database_url)(
                "postgresql://u@127.0.0.1:1/d"
            )
        }
    )
    assert roll_up_all(nowhere).buckets == 0
    assert roll_up_all(settings).buckets == 1
    assert_as_recomputed(settings)
