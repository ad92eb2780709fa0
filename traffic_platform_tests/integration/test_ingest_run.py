"""Ingest runs with a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from traffic_platform.ingest import session
from traffic_platform.ingest.drain import IngestTotals, RunLimits, run_ingest
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.settings import Settings

ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)

Produce = Callable[..., None]
MakeTopic = Callable[..., str]


def drain(settings: Settings, **options: Any) -> IngestTotals:
    """Run ingest until it has caught up."""
    return run_ingest(
        settings,
        [settings.raw_topic],
        limits=ONCE,
        run_id=None,
        stop=lambda: False,
        **options,
    )


def flat(sensor: str, minute: int, speed: float | None = 55.0, volume: int | None = 900) -> bytes:
    """Return a flat event of 2025-10-04, 12:00 UTC plus `minute`."""
    timestamp = (NOON + timedelta(minutes=minute)).isoformat()
    return json.dumps(
        {"sensor_id": sensor, "timestamp": timestamp, "speed": speed, "volume": volume}
        | {"occupancy": 7.5}
    ).encode()


def nested(sensor: str, minute: int, speed: float = 48.5) -> bytes:
    """Return a nested event of the same time."""
    timestamp = (NOON + timedelta(minutes=minute)).isoformat()
    data = {"speed_mph": speed, "volume_vehicles_per_hour": 1200}
    return json.dumps({"sensor_id": sensor, "timestamp": timestamp, "traffic_data": data}).encode()


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return connection.execute(query).fetchall()  # pyright: ignore[reportArgumentType]


def test_every_message_ends_in_raw_and_in_processed_or_quarantine(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([flat("a", 0), nested("b", 1), b"not json", None, flat("c", 2, None, None)])
    totals = drain(settings)
    assert (totals.delivered, totals.raw, totals.processed, totals.quarantined) == (5, 5, 3, 2)
    assert rows(settings, "select count(*) from traffic.raw_events") == [(5,)]
    assert rows(
        settings,
        "select s.external_id, speed, volume, occupancy, quality_flags"
        " from traffic.traffic_readings join traffic.sensors s using (sensor_id) order by 1",
    ) == [("a", 55.0, 900, 7.5, 0), ("b", 48.5, 1200, None, 0), ("c", None, None, 7.5, 0)]
    assert rows(
        settings, "select reason, value from traffic.quarantined_events order by reason"
    ) == [("malformed_json", b"not json"), ("tombstone", None)]


def test_raw_keeps_bytes_key_headers_and_broker_time(
    settings: Settings, make_topic: MakeTopic, producer: Producer
) -> None:
    make_topic(partitions=1, message_timestamp_type="CreateTime")
    value = flat("a", 0)
    headers = [("trace", b"\x00\xff"), ("trace", b"again"), ("none", None)]
    producer.produce(
        settings.raw_topic, value, b"\x00key", headers=headers, timestamp=1_759_579_200_123
    )
    assert producer.flush(30) == 0
    drain(settings)
    assert rows(
        settings, "select key, value, headers, broker_timestamp from traffic.raw_events"
    ) == [
        (
            b"\x00key",
            value,
            [b"trace", b"\x00\xff", b"trace", b"again", b"none", None],
            datetime(2025, 10, 4, 12, 0, 0, 123_000, tzinfo=UTC),
        )
    ]


def test_ingesting_stored_messages_again_changes_nothing(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([flat("a", minute) for minute in range(50)])
    assert drain(settings).batches > 0
    before = rows(settings, "select r.*, xmin from traffic.traffic_readings r order by 1, 2")
    assert drain(settings).batches == 0
    assert (
        rows(settings, "select r.*, xmin from traffic.traffic_readings r order by 1, 2") == before
    )


def test_a_repeat_replaces_the_row_and_an_equal_one_is_counted_unchanged(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([flat("a", 0, 50.0), flat("a", 1, 50.0)])
    assert drain(settings).inserted == 2
    produce([flat("a", 0, 60.0), flat("a", 1, 50.0)])
    totals = drain(settings)
    assert (totals.inserted, totals.updated, totals.unchanged) == (0, 1, 1)
    assert rows(
        settings,
        'select speed, "offset", updated_at > created_at from traffic.traffic_readings'
        ' order by "timestamp"',
    ) == [(60.0, 2, True), (50.0, 3, False)]


def test_repeats_inside_one_batch_are_counted_and_the_last_one_wins(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([flat("a", 0, 50.0), flat("a", 0, 60.0), flat("a", 0, 60.0)])
    totals = drain(settings)
    counts = totals.inserted, totals.updated, totals.unchanged, totals.superseded
    assert counts == (1, 0, 0, 2)
    assert rows(settings, 'select speed, "offset" from traffic.traffic_readings') == [(60.0, 2)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_the_latest_broker_time_wins_in_whatever_order_partitions_are_read(
    settings: Settings, make_topic: MakeTopic, producer: Producer, order: tuple[int, ...]
) -> None:
    # Two equal readings with another between them: the provenance decides, also when equal.
    make_topic(partitions=3, message_timestamp_type="CreateTime")
    speeds = {0: 50.0, 1: 60.0, 2: 50.0}
    for partition in order:
        stamp = 1_759_579_200_000 + partition
        producer.produce(
            settings.raw_topic,
            flat("a", 0, speeds[partition]),
            partition=partition,
            timestamp=stamp,
        )
        assert producer.flush(30) == 0
        drain(settings)
    assert rows(settings, "select speed, partition from traffic.traffic_readings") == [(50.0, 2)]


def test_the_ledger_the_group_and_the_lag_agree_after_a_run(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([flat(f"s{number}", 0) for number in range(200)])
    with_lag = LagReader(settings)
    assert sum(lag.lag for lag in with_lag.read([settings.raw_topic])) == 200
    totals = drain(settings)
    assert totals.lag == 0
    lags = with_lag.read([settings.raw_topic])
    assert sum(lag.lag for lag in lags) == 0
    assert not any(lag.needs_run for lag in lags)
    with_lag.close()
    consumer = Consumer({**settings.kafka_config(), "group.id": settings.consumer_group})
    partitions = [TopicPartition(settings.raw_topic, lag.partition) for lag in lags]
    committed = {one.partition: one.offset for one in consumer.committed(partitions, timeout=20)}
    consumer.close()
    assert committed == {lag.partition: lag.next_offset for lag in lags}


def test_aborted_transactions_never_appear_and_their_offsets_are_accounted_for(
    settings: Settings, make_topic: MakeTopic
) -> None:
    make_topic(partitions=1)
    producer = Producer({**settings.kafka_config(), "transactional.id": settings.raw_topic})
    producer.init_transactions(30)
    for abort in (False, True):
        producer.begin_transaction()
        for minute in range(3):
            producer.produce(settings.raw_topic, flat("a", minute + 10 * abort))
        producer.flush(30)
        producer.abort_transaction(30) if abort else producer.commit_transaction(30)
    totals = drain(settings)
    assert (totals.delivered, totals.inserted, totals.lag) == (3, 3, 0)
    assert rows(
        settings,
        "select sum(next_offset - first_offset), sum(delivered) from traffic.micro_batches",
    ) == [(8, 3)]
    assert rows(settings, "select next_offset from traffic.kafka_offsets") == [(8,)]


def test_two_writers_drain_their_own_partitions_at_the_same_time(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=5)
    for partition in range(5):
        produce([flat("a", minute) for minute in range(300)], partition=partition)
    totals: list[IngestTotals] = []
    ingest_runs = [
        threading.Thread(
            target=lambda n=number: totals.append(drain(settings, writer=n, writers=2))
        )
        for number in range(2)
    ]
    for ingest_run in ingest_runs:
        ingest_run.start()
    for ingest_run in ingest_runs:
        ingest_run.join(60)
    assert sorted(total.delivered for total in totals) == [600, 900]
    assert rows(settings, "select count(*) from traffic.raw_events") == [(1500,)]
    assert rows(settings, "select count(*), min(partition) from traffic.traffic_readings") == [
        (300, 4)
    ]


def test_an_added_partition_is_picked_up_without_a_restart(
    settings: Settings,
    make_topic: MakeTopic,
    produce: Produce,
    admin: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from confluent_kafka.admin import NewPartitions

    monkeypatch.setattr(session, "_DISCOVER_SECONDS", 1.0)
    make_topic(partitions=1)
    produce([flat("a", 0)])
    reports: list[IngestTotals] = []
    done = threading.Event()
    ingest_run = threading.Thread(
        target=lambda: reports.append(
            run_ingest(
                settings,
                [settings.raw_topic],
                limits=RunLimits(seconds=60, idle_seconds=60),
                run_id=None,
                stop=done.is_set,
            )
        )
    )
    ingest_run.start()
    try:
        wait_until(lambda: rows(settings, "select count(*) from traffic.raw_events") == [(1,)])
        admin.create_partitions([NewPartitions(settings.raw_topic, 2)])[settings.raw_topic].result()
        # Another producer, because one that knows the topic learns of the new partition only later.
        second = Producer(settings.kafka_config())
        second.produce(settings.raw_topic, flat("b", 0), partition=1)
        assert second.flush(30) == 0
        wait_until(lambda: rows(settings, "select count(*) from traffic.raw_events") == [(2,)])
    finally:
        done.set()
        ingest_run.join(30)
    assert reports[0].delivered == 2


def test_a_run_until_caught_up_ends_when_another_has_stored_all(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    done = threading.Event()
    first = threading.Thread(
        target=lambda: run_ingest(
            settings,
            [settings.raw_topic],
            limits=RunLimits(seconds=120, idle_seconds=120),
            run_id=None,
            stop=done.is_set,
        )
    )
    first.start()
    try:
        produce([flat("a", 0)])
        wait_until(lambda: rows(settings, "select count(*) from traffic.raw_events") == [(1,)])
        second = run_ingest(
            settings,
            [settings.raw_topic],
            limits=RunLimits(seconds=120, idle_seconds=120, until_caught_up=True),
            run_id=None,
            stop=lambda: not first.is_alive(),
        )
        assert (second.delivered, first.is_alive()) == (0, True)
    finally:
        done.set()
        first.join(30)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition; fail after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"not true within {seconds} s")
