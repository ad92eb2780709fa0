"""Messages of usual producers: compressed, with or without key, by their or the broker's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import KafkaServer
from traffic_platform_tests.integration.once import assert_proven, drain, event, lag, rows

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize("by", ["producer", "topic"])
@pytest.mark.parametrize("codec", CODECS)
def test_compressed_messages_are_stored_as_they_were_before(
    settings: Settings, kafka: KafkaServer, make_topic: MakeTopic, codec: str, by: str
) -> None:
    config = {"compression_type": codec} if by == "topic" else {}
    topic = make_topic(partitions=1, **config)
    producer = Producer(
        {**settings.kafka_config(), "compression.type": codec if by == "producer" else "none"}
        | {"linger.ms": 200, "log_level": 0}
    )
    sent = [event(f"s{n % 7}", n, note="all alike " * 20) for n in range(500)]
    sent[17:17] = [b"\x00\xff" * 500, b"no event"]
    for value in sent:
        producer.produce(topic, value, key=b"\x00key", headers=[("h", b"\xff")])
    assert producer.flush(30) == 0
    log = kafka.service.folder / "data" / f"{topic}-0" / f"{0:020}.log"
    assert log.stat().st_size < sum(map(len, sent)) / 2
    drain(settings)
    stored = rows(settings, 'select value, key, headers from traffic.raw_events order by "offset"')
    assert stored == [(value, b"\x00key", [b"h", b"\xff"]) for value in sent]
    assert rows(settings, "select count(*) from traffic.quarantined_events") == [(2,)]
    assert lag(settings) == 0
    assert_proven(settings)


def test_no_key_an_empty_key_and_any_bytes_are_three_different_things(
    settings: Settings, make_topic: MakeTopic, producer: Producer
) -> None:
    make_topic(partitions=1)
    keys = [None, b"", b"\x00\xff", "schlüssel".encode(), b"k" * 5000]
    for number, key in enumerate(keys):
        producer.produce(settings.raw_topic, event("a", number), key)
        producer.produce(settings.raw_topic, None, key)
    assert producer.flush(30) == 0
    drain(settings)
    kept = [(key,) for key in keys]
    ordered = 'order by "offset"'
    assert rows(settings, f"select key from traffic.raw_events where value is null {ordered}") == (
        kept
    )
    quarantined = rows(settings, f"select key, reason from traffic.quarantined_events {ordered}")
    assert quarantined == [(key, "tombstone") for key in keys]
    assert rows(settings, "select count(*) from traffic.traffic_readings") == [(len(keys),)]
    assert_proven(settings)


def test_where_the_broker_keeps_time_the_later_message_wins_whatever_producers_say(
    settings: Settings, make_topic: MakeTopic, producer: Producer
) -> None:
    make_topic(partitions=1, message_timestamp_type="LogAppendTime")
    before = datetime.now(UTC)
    now = int(time.time() * 1000)
    for speed, timestamp in ((50.0, now + 3_000_000), (60.0, 86_400_000)):
        producer.produce(settings.raw_topic, event("a", speed=speed), timestamp=timestamp)
        assert producer.flush(30) == 0
        drain(settings)
    assert rows(settings, "select speed from traffic.traffic_readings") == [(60.0,)]
    [(first,), (second,)] = rows(settings, "select broker_timestamp from traffic.raw_events")
    assert before.timestamp() - 0.001 <= first.timestamp() <= second.timestamp()
    assert second <= datetime.now(UTC)
    assert_proven(settings)


def test_a_producer_whose_clock_is_ahead_does_not_win_for_ever(
    settings: Settings, make_topic: MakeTopic, producer: Producer
) -> None:
    make_topic(partitions=1, message_timestamp_type="CreateTime")
    ahead = int(time.time() * 1000) + 50 * 60 * 1000
    producer.produce(settings.raw_topic, event("a", speed=50.0), timestamp=ahead)
    assert producer.flush(30) == 0
    drain(settings)
    producer.produce(settings.raw_topic, event("a", speed=60.0))
    assert producer.flush(30) == 0
    drain(settings)
    assert rows(
        settings, "select speed, broker_timestamp < now() from traffic.traffic_readings"
    ) == [(60.0, True)]
    # Raw is evidence, so it keeps the producer's timestamp.
    assert rows(
        settings,
        "select (extract(epoch from broker_timestamp) * 1000)::bigint"
        ' from traffic.raw_events order by "offset" limit 1',
    ) == [(ahead,)]
    assert_proven(settings)


def test_confluents_wire_format_is_rejected_with_advice(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    produce([b"\x00" + (41).to_bytes(4, "big") + event("a")])
    drain(settings)
    [(reason, detail)] = rows(settings, "select reason, detail from traffic.quarantined_events")
    assert reason == "confluent_wire_format"
    assert "schema id 41" in detail
    assert "give the producer a JSON serializer without a schema registry" in detail
