"""The clean stream with a real Kafka: published events, our own messages and foreign ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.ingest.drain import IngestTotals, run_ingest
from traffic_platform.publish.publisher import PublishTotals, run_publisher
from traffic_platform.run_clock import RunLimits
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.integration.clean_stream import Published, read_published

ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
FLAT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'
NESTED = (
    b'{"sensor_id":7,"timestamp":1759564800.25,'
    b'"traffic_data":{"speed_mph":48,"volume_vehicles_per_hour":1200.6,"occupancy_percent":9}}'
)

MakeTopic = Callable[..., str]
Produce = Callable[..., None]


@pytest.fixture
def topics(settings: Settings, make_topic: MakeTopic) -> Settings:
    """Both topics, three partitions each."""
    make_topic(partitions=3)
    make_topic(settings.events_topic, partitions=3)
    return settings


def ingest(settings: Settings) -> IngestTotals:
    """Run ingest until it has caught up."""
    topics = [settings.raw_topic, settings.events_topic]
    return run_ingest(settings, topics, limits=ONCE, run_id=None, stop=lambda: False)


def publish(settings: Settings) -> PublishTotals:
    """Publish every event that is not published yet."""
    return run_publisher(settings, limits=ONCE, run_id=None, stop=lambda: False)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with psycopg.connect(settings.endpoints().owner_url) as connection:
        return connection.execute(query).fetchall()  # pyright: ignore[reportArgumentType]


def body(message: Published) -> dict[str, Any]:
    """Return the event of a message."""
    return json.loads(message.value or b"null")


def test_events_are_published_flat_with_uuids_and_times_in_utc_keyed_by_sensor(
    topics: Settings, produce: Produce
) -> None:
    produce([FLAT, b"nonsense", NESTED], partition=2)
    ingest(topics)
    assert publish(topics).events == 2
    first, second = read_published(topics, topics.events_topic)
    assert (first.partition, second.partition) == (2, 2)
    assert body(first) == {
        "sensor_id": str(sensor_uuid("s1")),
        "timestamp": "2025-10-04T08:00:00Z",
        "speed": 61.5,
        "volume": 900,
        "occupancy": None,
        "quality_score": 1.0,
    }
    assert body(second) == {
        "sensor_id": str(sensor_uuid("7")),
        "timestamp": "2025-10-04T08:00:00.250000Z",
        "speed": 48.0,
        "volume": 1201,
        "occupancy": 9.0,
        "quality_score": 1.0,
    }
    assert first.key == str(sensor_uuid("s1")).encode()


def test_published_events_are_not_published_again_and_are_recognized_as_own_messages(
    topics: Settings, produce: Produce
) -> None:
    produce([FLAT, NESTED])
    ingest(topics)
    publish(topics)
    totals = ingest(topics)
    assert (totals.delivered, totals.echoes, totals.raw) == (2, 2, 0)
    assert publish(topics).messages == 0
    assert len(read_published(topics, topics.events_topic)) == 2
    assert rows(topics, "select count(*) from traffic.raw_events") == [(2,)]
    assert verify(topics, deep=True).holds


def test_messages_of_others_are_ingested_and_not_published_again(
    topics: Settings, produce: Produce
) -> None:
    produce([FLAT], topic=topics.events_topic)
    totals = ingest(topics)
    assert (totals.processed, totals.echoes) == (1, 0)
    assert publish(topics).messages == 0
    assert rows(topics, "select count(*) from traffic.traffic_readings") == [(1,)]
    assert verify(topics, deep=True).holds


@pytest.mark.parametrize("change", ["value", "place", "signature", "platform"])
def test_a_forwarded_message_with_our_header_is_ingested_when_anything_of_it_was_altered(
    topics: Settings, produce: Produce, change: str
) -> None:
    produce([FLAT])
    ingest(topics)
    publish(topics)
    [ours] = read_published(topics, topics.events_topic)
    value, [(name, origin)] = ours.value or b"", ours.headers
    platform, topic_no, partition, offset, replay_no, signature = (origin or b"").split(b"/")
    altered = {
        "value": (value.replace(b"61.5", b"61.6"), [offset, signature, platform]),
        "place": (value, [b"17", signature, platform]),
        "signature": (value, [offset, b"0" * 32, platform]),
        "platform": (value, [offset, signature, platform[::-1]]),
    }
    sent, (offset, signature, platform) = altered[change]
    header = b"/".join([platform, topic_no, partition, offset, replay_no, signature])
    producer = Producer({**topics.kafka_config(), "log_level": 0})
    for body_sent, changed in ((sent, header), (value, origin)):  # the second copies ours
        producer.produce(topics.events_topic, body_sent, headers=[("trace", b"1"), (name, changed)])
    assert producer.flush(30) == 0
    totals = ingest(topics)
    assert (totals.delivered, totals.echoes, totals.processed) == (3, 2, 1)
    # The copy changes no table, but a reader of the clean stream sees the event twice.
    [finding] = verify(topics, deep=True).findings
    assert (finding.table, finding.found) == ("publications", "more than one, perhaps a copy")


def test_quarantined_messages_go_to_the_quarantine_topic_with_their_reason_if_one_is_set(
    topics: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    produce([FLAT, b"nonsense", None], partition=1, key=b"k")
    produce([b"more"], topic=topics.events_topic, partition=0)
    ingest(topics)
    name = make_topic(f"{topics.raw_topic}-quarantine", partitions=2)
    settings = topics.model_copy(update={"quarantine_topic": name})
    totals = publish(settings)
    assert (totals.events, totals.quarantined) == (1, 3)
    messages = {(m.value, m.key): dict(m.headers) for m in read_published(settings, name)}
    assert messages.keys() == {(b"nonsense", b"k"), (None, b"k"), (b"more", None)}
    headers = messages[b"nonsense", b"k"]
    assert headers["traffic-reason"] == b"malformed_json"
    assert headers["traffic-source"] == f"{topics.raw_topic}/1/1".encode()
    assert headers["traffic-detail"]
    assert publish(settings).messages == 0


def test_a_quarantined_message_that_is_sent_again_is_ingested(
    topics: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    name = make_topic(f"{topics.raw_topic}-quarantine", partitions=2)
    settings = topics.model_copy(update={"quarantine_topic": name})
    produce([b"nonsense"])
    ingest(settings)
    publish(settings)
    [message] = read_published(settings, name)
    producer = Producer({**settings.kafka_config(), "log_level": 0})
    [(_, signed)] = [header for header in message.headers if header[0] == "traffic-quarantined"]
    renamed = [("traffic-origin", signed)]  # a signature of quarantine is invalid as an origin
    for topic in settings.ingest_topics:
        for headers in (message.headers, renamed):
            producer.produce(topic, message.value, headers=headers)
    assert producer.flush(30) == 0
    totals = ingest(settings)
    assert (totals.quarantined, totals.echoes) == (4, 0)
    assert publish(settings).quarantined == 4


def test_a_message_that_no_broker_must_take_is_named_in_the_quarantine_topic_without_its_bytes(
    topics: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    name = make_topic(f"{topics.raw_topic}-quarantine", partitions=2)
    settings = topics.model_copy(update={"quarantine_topic": name, "batch_bytes": 500_000})
    large = b"x" * 950_000
    produce([large, b"small", large, FLAT], partition=1)
    ingest(settings)
    totals = publish(settings)
    assert (totals.events, totals.quarantined) == (1, 3)
    found = [
        (m.value, dict(m.headers).get("traffic-value-bytes"))
        for m in read_published(settings, name)
    ]
    assert found == [(None, b"950000"), (b"small", None), (None, b"950000")]


def test_offsets_that_were_lost_before_they_were_read_hold_nothing_up(
    topics: Settings, admin: AdminClient, produce: Produce
) -> None:
    produce([FLAT], partition=0)
    ingest(topics)
    produce([NESTED] * 5, partition=0)
    deleted = TopicPartition(topics.raw_topic, 0, 6)
    [future] = admin.delete_records([deleted]).values()
    future.result(timeout=30)
    ingest(topics)
    assert publish(topics).events == 1
    ledger = f"select next_offset from traffic.kafka_offsets where topic = '{topics.raw_topic}'"
    position = "select next_position from traffic.publications where route = 'events'"
    first = " and partition = 0"
    assert rows(topics, ledger + first) == rows(topics, position + first) == [(6,)]


def test_a_publisher_reads_no_further_back_than_its_predecessor_ended(
    topics: Settings, produce: Produce
) -> None:
    produce([FLAT, NESTED], partition=0)
    ingest(topics)
    publish(topics)
    ends = rows(
        topics,
        "select route, destination_next_offset from traffic.publications"
        " where partition = 0 order by route",
    )
    assert ends == [("events", 2), ("replays", 2)]


def test_nothing_is_published_while_publishing_is_off(topics: Settings, produce: Produce) -> None:
    produce([FLAT])
    ingest(topics)
    assert publish(topics.model_copy(update={"publish": False})).messages == 0
    assert read_published(topics, topics.events_topic) == []
    assert publish(topics).events == 1
