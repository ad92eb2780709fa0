"""A database that goes back to a snapshot while Kafka keeps the messages published since."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator

import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from traffic_platform.ingest.drain import run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.publish.publisher import PublishTotals, run_publisher
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.integration.once import ONCE, assert_proven, rows
from traffic_platform_tests.integration.snapshots import Snapshots, snapshots_of

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

ZONE = "America/Los_Angeles"
DUE = 'select partition, "offset" from traffic.processed_events'


@pytest.fixture
def snapshots(postgres: PostgresServer, database: str) -> Iterator[Snapshots]:
    """Snapshots of the test's database."""
    yield from snapshots_of(postgres, database)


@pytest.fixture
def both(settings: Settings, make_topic: MakeTopic) -> Settings:
    """The raw topic and the clean stream, two partitions each."""
    make_topic(partitions=2)
    make_topic(settings.events_topic, partitions=2)
    return settings


def zoned(settings: Settings) -> Settings:
    """Return settings under which times without a zone are valid."""
    return settings.model_copy(update={"naive_timezone": ZONE})


def event(number: int, *, naive: bool = False) -> bytes:
    """Return an event of its own sensor; `naive` leaves out the zone, so that it is rejected."""
    zone = "" if naive else "Z"
    time = f"2025-06-30T12:{number % 60:02}:00{zone}"
    return json.dumps({"sensor_id": f"s{number}", "timestamp": time, "speed": 50.0}).encode()


def ingest(settings: Settings) -> None:
    """Store everything that Kafka holds, in both topics."""
    topics = list(settings.ingest_topics)
    run_ingest(settings, topics, limits=ONCE, run_id=None, stop=lambda: False)


def publish(settings: Settings) -> PublishTotals:
    """Publish every event that is not published yet."""
    return run_publisher(settings, limits=ONCE, run_id=None, stop=lambda: False)


def reprocess(settings: Settings, sensor: str | None = None) -> int:
    """Reprocess rejected messages under the settings with a zone; return their number."""
    return reprocess_rejected(zoned(settings), QuarantineFilter(sensor=sensor)).replayed


def published(settings: Settings) -> Counter[tuple[int, int]]:
    """Count our messages in the clean stream by source partition and offset."""
    headers = [
        dict(message.headers)["traffic-origin"] or b""
        for message in read_published(settings, settings.events_topic)
    ]
    return Counter((int(h.split(b"/")[2]), int(h.split(b"/")[3])) for h in headers)


def assert_published_once(settings: Settings) -> None:
    """Assert that each event stands once in the clean stream, and that everything agrees."""
    ingest(settings)  # our own messages
    assert published(settings) == Counter(rows(settings, DUE))
    assert_proven(zoned(settings))


@pytest.mark.parametrize("first", ["publish", "reprocess"])
def test_reprocessed_messages_published_before_a_restore_are_not_published_again(
    both: Settings, produce: Produce, snapshots: Snapshots, first: str
) -> None:
    produce([event(0), event(1, naive=True), event(2, naive=True)], partition=0)
    ingest(both)
    publish(both)
    snapshots.take()
    assert reprocess(both, sensor="s2") == 1
    assert publish(both).replays == 1
    snapshots.restore()
    if first == "publish":
        publish(both)
        ingest(both)
        assert_proven(both)
    # Now the message that was not published has the number of the one that was.
    assert reprocess(both) == 2
    assert publish(both).replays == 1
    assert_published_once(both)


@pytest.mark.parametrize("published_at", ["once", "last"])
def test_messages_decided_otherwise_after_a_restore_are_published_once(
    both: Settings, produce: Produce, snapshots: Snapshots, published_at: str
) -> None:
    produce([event(0)], partition=0)
    ingest(both)
    publish(both)
    snapshots.take()
    produce([event(n, naive=n in {1, 3, 4}) for n in range(1, 6)], partition=0)
    ingest(both)
    publish(both)
    reprocess(both, sensor="s3")
    publish(both)
    snapshots.restore()
    if published_at == "once":
        publish(both)
    ingest(zoned(both))  # no message is rejected now
    publish(both)
    assert_published_once(both)


@pytest.mark.parametrize("ingested", [True, False])
def test_a_backup_older_than_the_first_publication_repeats_nothing(
    both: Settings, produce: Produce, snapshots: Snapshots, ingested: bool
) -> None:
    produce([event(n) for n in range(50)])
    if ingested:
        ingest(both)
    snapshots.take()
    ingest(both)
    assert publish(both).events == 50
    snapshots.restore()
    produce([event(n) for n in range(50, 60)])
    ingest(both)
    assert publish(both).events == 10
    assert_published_once(both)


def test_events_of_an_added_partition_lost_with_its_position_are_not_repeated(
    both: Settings, produce: Produce, admin: AdminClient, snapshots: Snapshots
) -> None:
    produce([event(0)], partition=0)
    ingest(both)
    publish(both)
    snapshots.take()
    added = admin.create_partitions([NewPartitions(both.raw_topic, 3)])
    added[both.raw_topic].result(timeout=30)
    wait_until(
        lambda: len(admin.list_topics(both.raw_topic).topics[both.raw_topic].partitions) == 3,
        "the partition exists",
    )
    client = Producer(both.kafka_config())  # it has not met the topic with two partitions
    for number in range(1, 20):
        client.produce(both.raw_topic, event(number), partition=2)
    assert client.flush(30) == 0
    ingest(both)
    assert publish(both).events == 19
    snapshots.restore()
    ingest(both)
    assert publish(both).events == 0
    assert_published_once(both)


def test_rejected_messages_published_before_a_restore_are_not_published_again(
    both: Settings, make_topic: MakeTopic, produce: Produce, snapshots: Snapshots
) -> None:
    name = make_topic(f"{both.raw_topic}-quarantine", partitions=1)
    settings = both.model_copy(update={"quarantine_topic": name})
    snapshots.take()
    produce([b"0", event(1), b"2", event(3, naive=True)], partition=1)
    ingest(zoned(settings))
    assert publish(settings).quarantined == 2
    snapshots.restore()
    produce([b"4"], partition=1)
    ingest(settings)  # the last but one is rejected, too
    assert publish(settings).quarantined == 2
    values = [message.value for message in read_published(settings, name)]
    assert values == [b"0", b"2", event(3, naive=True), b"4"]
    assert publish(settings).messages == 0


@pytest.mark.parametrize(("source_times", "first"), [("LogAppendTime", 5), ("CreateTime", 0)])
def test_without_a_position_only_messages_later_than_the_source_are_searched(
    settings: Settings,
    make_topic: MakeTopic,
    produce: Produce,
    caplog: pytest.LogCaptureFixture,
    source_times: str,
    first: int,
) -> None:
    make_topic(partitions=1, message_timestamp_type=source_times)
    make_topic(settings.events_topic, partitions=1, message_timestamp_type="CreateTime")
    client = Producer(settings.kafka_config())
    day_ago = int(time.time() - 86_400) * 1000
    for timestamp in [day_ago] * 5 + [0]:  # 0: now
        client.produce(settings.events_topic, event(1), partition=0, timestamp=timestamp)
    assert client.flush(30) == 0
    produce([event(0)], partition=0)
    ingest(settings)
    with caplog.at_level(logging.INFO, "traffic_platform.publish.recovery"):
        publish(settings)
    # Times that producers set prove nothing, so then the whole topic is searched.
    name = settings.events_topic
    assert f"searched {name} [0] from offset {first} to 6: 0 messages" in caplog.text


def test_a_topic_recreated_since_the_backup_keeps_its_number_and_repeats_nothing(
    both: Settings,
    make_topic: MakeTopic,
    produce: Produce,
    admin: AdminClient,
    snapshots: Snapshots,
) -> None:
    produce([event(0)])
    ingest(both)
    publish(both)
    snapshots.take()
    admin.delete_topics([both.raw_topic])[both.raw_topic].result(timeout=30)
    wait_until(
        lambda: both.raw_topic not in admin.list_topics(timeout=30).topics, "the topic is deleted"
    )
    make_topic(partitions=2)
    client = Producer(both.kafka_config())  # it has not met the former topic
    for number in range(1, 20):
        client.produce(both.raw_topic, event(number))
    assert client.flush(30) == 0
    ingest(both)
    assert publish(both).events == 19
    snapshots.restore()
    # PostgreSQL logs the use of sequences in steps of 32, so a replayed log runs ahead of them.
    with psycopg.connect(both.endpoints().owner_url) as connection:
        connection.execute("select setval('traffic.topics_topic_no_seq', 34)")
    ingest(both)
    assert publish(both).events == 0
