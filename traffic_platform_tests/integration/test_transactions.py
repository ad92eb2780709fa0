"""Producers that write in transactions: committed, aborted, and never ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from traffic_platform.monitoring import lag as lag_module
from traffic_platform.monitoring.lag import LagReader, OpenTransaction
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.once import assert_proven, drain, event, lag, rows

MakeTopic = Callable[..., str]
Produce = Callable[..., None]


def transactional(settings: Settings, name: str, **config: str) -> Producer:
    """Return a producer that has initialized its transactional id."""
    identity = {"transactional.id": f"{settings.raw_topic}-{name}", "log_level": 0}
    producer = Producer({**settings.kafka_config(), **identity, **config})
    producer.init_transactions(30)
    return producer


@contextmanager
def open_transaction(settings: Settings, count: int = 3, **where: int) -> Iterator[Producer]:
    """Send messages in a transaction that stays open until the block ends, then commit it."""
    producer = transactional(settings, "open")
    producer.begin_transaction()
    for minute in range(count):
        producer.produce(settings.raw_topic, event("open", minute), **where)
    assert producer.flush(30) == 0
    yield producer
    producer.commit_transaction(30)


def open_transactions(settings: Settings) -> list[OpenTransaction]:
    """Return the transactions that hold back messages."""
    reader = LagReader(settings)
    try:
        return reader.open_transactions(reader.read([settings.raw_topic]))
    finally:
        reader.close()


@pytest.mark.parametrize("batch_messages", [20_000, 7])
def test_aborted_messages_are_in_no_table_and_the_ledger_is_beyond_them(
    settings: Settings, make_topic: MakeTopic, produce: Produce, batch_messages: int
) -> None:
    make_topic(partitions=2)
    good = transactional(settings, "good", **{"compression.type": "zstd"})
    bad = transactional(settings, "bad")
    for turn in range(10):
        good.begin_transaction()
        bad.begin_transaction()
        for number in range(20):
            minute = 20 * turn + number
            good.produce(settings.raw_topic, event("committed", minute), partition=number % 2)
            bad.produce(settings.raw_topic, event("aborted", minute), partition=number % 2)
            bad.produce(settings.raw_topic, b"aborted nonsense", partition=0)
        assert good.flush(30) == bad.flush(30) == 0
        bad.abort_transaction(30)
        good.commit_transaction(30)
        produce([event("plain", turn)], partition=turn % 2)
    bad.begin_transaction()
    bad.produce(settings.raw_topic, b"aborted at the very end", partition=1)
    bad.flush(30)
    bad.abort_transaction(30)
    totals = drain(settings.model_copy(update={"batch_messages": batch_messages}))
    assert (totals.delivered, totals.processed, totals.quarantined) == (210, 210, 0)
    assert rows(
        settings,
        "select s.external_id, count(*) from traffic.processed_events"
        " join traffic.sensors s using (sensor_id) group by 1 order by 1",
    ) == [("committed", 200), ("plain", 10)]
    assert rows(settings, "select count(*) from traffic.sensors") == [(2,)]
    # 401 aborted messages, and a marker for each transaction in each partition that it wrote to.
    assert rows(settings, "select sum(next_offset)::int from traffic.kafka_offsets") == [
        (210 + 401 + 41,)
    ]
    assert lag(settings) == 0
    assert_proven(settings)


def test_messages_behind_an_open_transaction_arrive_when_it_ends_and_others_at_once(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=2)
    produce([event("before")], partition=0)
    with open_transaction(settings, partition=0):
        produce([event("behind")], partition=0)
        produce([event("beside")], partition=1)
        assert drain(settings).delivered == 2
        assert lag(settings) == 0
        assert drain(settings).batches == 0
        assert_proven(settings)
    assert drain(settings).delivered == 4
    assert rows(settings, "select count(*) from traffic.traffic_readings") == [(6,)]
    assert rows(settings, "select count(*) from traffic.quarantined_events") == [(0,)]
    assert_proven(settings)


def test_a_transaction_that_is_open_for_long_is_named_with_its_partition(
    settings: Settings, make_topic: MakeTopic, produce: Produce, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topic(partitions=3)
    produce([event("before")], partition=2)
    with open_transaction(settings, partition=2):
        produce([event("behind")], partition=2)
        assert open_transactions(settings) == []
        monkeypatch.setattr(lag_module, "OPEN_SECONDS", 0)
        [found] = open_transactions(settings)
        assert found == OpenTransaction(settings.raw_topic, 2, offset=1, messages=4)
    assert open_transactions(settings) == []


def test_its_age_is_that_of_its_first_message_and_not_of_the_newest(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1, message_timestamp_type="CreateTime")
    producer = transactional(settings, "old")
    producer.begin_transaction()
    then = int((time.time() - lag_module.OPEN_SECONDS - 60) * 1000)
    producer.produce(settings.raw_topic, event("open"), timestamp=then)
    assert producer.flush(30) == 0
    produce([event("behind", minute) for minute in range(50)])
    [found] = open_transactions(settings)
    assert str(found) == (
        f"{settings.raw_topic} [0]: a producer's transaction has been open for more than 3 minutes,"
        " and 51 messages from offset 0 on cannot be read until it ends"
    )
    producer.abort_transaction(30)
    assert open_transactions(settings) == []


def test_a_stream_of_short_transactions_is_not_taken_for_an_open_one(
    settings: Settings, make_topic: MakeTopic
) -> None:
    make_topic(partitions=1)
    producer = transactional(settings, "busy")
    for turn in range(20):
        producer.begin_transaction()
        producer.produce(settings.raw_topic, event("busy", turn))
        assert producer.flush(30) == 0
        assert open_transactions(settings) == []
        producer.commit_transaction(30)
    assert drain(settings).delivered == 20
