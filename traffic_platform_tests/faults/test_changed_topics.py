"""Topics deleted, trimmed and truncated: losses are recorded, and the rest is stored once."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable

import psycopg
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import KafkaServer
from traffic_platform_tests.faults.accounting import (
    assert_exactly_once,
    lost_ranges,
    stored,
)
from traffic_platform_tests.faults.feed import Sent, events, send
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.faults.log_files import cut_log

MakeTopic = Callable[..., str]
StartRun = Callable[..., RunProcess]

_SMALL = {"TRAFFIC_BATCH_MESSAGES": "100"}


def test_a_topic_recreated_under_a_run_continues_and_its_loss_is_recorded(
    settings: Settings, admin: AdminClient, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=2)
    old = [message for p in range(2) for message in send(settings, 500, first=500 * p, partition=p)]
    ingest_run = start_run(TRAFFIC_FAULT_POINT="after_database_commit:3:stop", **_SMALL)
    wait_until(lambda: ingest_run.paused, "the ingest run pauses itself")
    reached = _ledger(settings)
    assert 0 < sum(reached.values()) < 1000
    _delete_topic(settings, admin)
    make_topic(partitions=2)
    new = send(settings, 300, first=1000)
    ingest_run.send(signal.SIGCONT)
    wait_until(lambda: stored(settings) == sum(reached.values()) + 300, "the new topic is stored")
    ingest_run.end()
    assert lost_ranges(settings) == [
        (partition, offset, 500, "topic_recreated")
        for partition, offset in sorted(reached.items())
        if offset < 500
    ]
    assert _topic_numbers(settings) == 2
    assert_exactly_once(settings, new, perhaps_lost=old)


def test_a_topic_recreated_with_fewer_partitions_between_runs_records_a_loss_of_each(
    settings: Settings, admin: AdminClient, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=3)
    read = [message for p in range(3) for message in send(settings, 20, first=20 * p, partition=p)]
    _drain(start_run)
    unread = [m for p in range(3) for m in send(settings, 10, first=100 + 10 * p, partition=p)]
    _delete_topic(settings, admin)
    make_topic(partitions=2)
    new = send(settings, 50, first=200)
    _drain(start_run)
    assert lost_ranges(settings) == [(p, 20, None, "topic_recreated") for p in range(3)]
    assert _ledger(settings).keys() == {0, 1}
    assert_exactly_once(settings, read + new, perhaps_lost=unread)


@pytest.mark.parametrize("kept", [450, 500], ids=["some messages left", "nothing left"])
def test_retention_that_passes_the_ledger_is_a_loss_of_exactly_the_missing_offsets(
    settings: Settings,
    admin: AdminClient,
    make_topic: MakeTopic,
    start_run: StartRun,
    kept: int,
) -> None:
    make_topic(partitions=1)
    read = send(settings, 300)
    _drain(start_run)
    unread = send(settings, 200, first=300)
    _delete_before(settings, admin, kept)
    _drain(start_run)
    after = send(settings, 50, first=500)
    _drain(start_run)
    assert lost_ranges(settings) == [(0, 300, kept, "retention")]
    assert_exactly_once(settings, read + after, perhaps_lost=unread)


def test_retention_that_overtakes_a_run_loses_exactly_the_missing_offsets(
    settings: Settings, admin: AdminClient, make_topic: MakeTopic, start_run: StartRun
) -> None:
    # Much more than a consumer fetches ahead, so that it next requests deleted messages.
    make_topic(partitions=1)
    sent = send(settings, 4000, padding=4000)
    ingest_run = start_run(TRAFFIC_FAULT_POINT="after_database_commit:2:stop", **_SMALL)
    wait_until(lambda: ingest_run.paused, "the ingest run pauses itself")
    _delete_before(settings, admin, 3900)
    ingest_run.send(signal.SIGCONT)
    wait_until(lambda: _ledger(settings) == {0: 4000}, "the ingest run reaches the end")
    ingest_run.end()
    [(partition, first, following, cause)] = lost_ranges(settings)
    assert (partition, following, cause) == (0, 3900, "retention")
    assert 200 <= first < 3900
    assert_exactly_once(settings, [], perhaps_lost=sent)


def test_a_partition_truncated_behind_the_ledger_continues_under_a_new_number(
    settings: Settings, kafka: KafkaServer, make_topic: MakeTopic, start_run: StartRun
) -> None:
    # Before the next run, partition 0 grows beyond the ledger again; partition 1 stays shorter.
    make_topic(partitions=2)
    sent = _send_to_both(settings, 100, first=0)
    _drain(start_run)
    unread = _send_to_both(settings, 20, first=200)
    _cut(settings, kafka, {0: 60, 1: 60})
    sent += send(settings, 80, first=300, partition=0)
    _drain(start_run)
    assert lost_ranges(settings) == [(p, 100, None, "truncation") for p in range(2)]
    sent += _send_to_both(settings, 50, first=400)
    _drain(start_run)
    assert len(lost_ranges(settings)) == 2
    assert _topic_numbers(settings) == 2
    assert _ledger(settings) == {0: 190, 1: 110}
    assert_exactly_once(settings, sent, perhaps_lost=unread)


def test_a_partition_truncated_under_a_run_continues_under_a_new_number(
    settings: Settings, kafka: KafkaServer, make_topic: MakeTopic, start_run: StartRun
) -> None:
    make_topic(partitions=2)
    sent = _send_to_both(settings, 100, first=0)
    ingest_run = start_run()
    wait_until(lambda: stored(settings) == 200, "the first part is stored")
    _cut(settings, kafka, {0: 60})
    sent += _send_to_both(settings, 80, first=200)
    wait_until(lambda: stored(settings) == 360, "the second part is stored")
    ingest_run.end()
    assert lost_ranges(settings) == [(0, 100, None, "truncation")]
    assert _ledger(settings) == {0: 140, 1: 180}
    assert_exactly_once(settings, sent)


def test_a_transaction_that_ends_after_a_restart_of_kafka_is_no_cut(
    settings: Settings, kafka: KafkaServer, make_topic: MakeTopic, start_run: StartRun
) -> None:
    # Its marker, which no consumer receives, has a later leader epoch than the last message.
    make_topic(partitions=1)
    identity = {"transactional.id": settings.raw_topic, "log_level": 0}
    producer = Producer({**settings.kafka_config(), **identity})
    producer.init_transactions(30)
    producer.begin_transaction()
    sent = _produce_ten(settings, producer)
    kafka.process.stop()
    kafka.process.start()
    producer.commit_transaction(60)
    _drain(start_run)
    assert _ledger(settings) == {0: len(sent) + 1}
    sent += send(settings, 50, first=100)
    _drain(start_run)
    assert lost_ranges(settings) == []
    assert _topic_numbers(settings) == 1
    assert_exactly_once(settings, sent)


def _drain(start_run: StartRun) -> None:
    """Run ingest until it has caught up."""
    start_run(limits={"until_caught_up": True}).result()


def _send_to_both(settings: Settings, count: int, first: int) -> list[Sent]:
    """Send `count` events to each of two partitions, in record batches of ten."""
    return [
        message
        for p in range(2)
        for message in send(settings, count, first=first + p * count, partition=p, batch=10)
    ]


def _cut(settings: Settings, kafka: KafkaServer, ends: dict[int, int]) -> None:
    """Restart the broker with these partitions truncated at these offsets."""
    kafka.process.stop()
    try:
        for partition, end in ends.items():
            assert cut_log(kafka.service, settings.raw_topic, partition, end) == end
    finally:
        kafka.process.start()


def _delete_topic(settings: Settings, admin: AdminClient) -> None:
    admin.delete_topics([settings.raw_topic])[settings.raw_topic].result(timeout=30)
    wait_until(
        lambda: settings.raw_topic not in admin.list_topics(timeout=30).topics,
        "the topic is deleted",
    )


def _delete_before(settings: Settings, admin: AdminClient, offset: int) -> None:
    """Delete messages before an offset, as Kafka's retention does."""
    for future in admin.delete_records([TopicPartition(settings.raw_topic, 0, offset)]).values():
        future.result(timeout=30)


def _ledger(settings: Settings) -> dict[int, int]:
    """Return the next offset of every partition's current generation."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return dict(
            connection.execute(
                "select partition, next_offset from traffic.kafka_offsets where active"
            ).fetchall()
        )


def _topic_numbers(settings: Settings) -> int:
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute("select count(*) from traffic.topics").fetchone()
        assert row is not None
        return row[0]


def _produce_ten(settings: Settings, producer: Producer) -> list[Sent]:
    """Send ten events in the producer's open transaction."""
    sent: list[Sent] = []
    for number, value in enumerate(itertools.islice(events(), 10)):
        producer.produce(settings.raw_topic, value)
        sent.append(Sent(0, number, value))
    assert producer.flush(30) == 0
    return sent
