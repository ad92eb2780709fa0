"""The pipeline with a Kafka that requires TLS, passwords, certificates and ACLs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from traffic_platform.settings import Settings
from traffic_platform_tests.security.conftest import SOON, Ended, Traffic
from traffic_platform_tests.security.documented_acls import documented, documented_commands
from traffic_platform_tests.security.secured_kafka import (
    ADMIN,
    ADMIN_PASSWORD,
    KEY_PASSWORD,
    PASSWORD,
    SecuredKafka,
)

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'
HARMLESS = (KafkaError._PARTITION_EOF, KafkaError.GROUP_AUTHORIZATION_FAILED)
NONE_OF_SASL = dict.fromkeys(
    ("TRAFFIC_KAFKA_SASL_MECHANISM", "TRAFFIC_KAFKA_SASL_USERNAME", "TRAFFIC_KAFKA_SASL_PASSWORD")
)


def expect_no_secret(*ended: Ended) -> None:
    """Assert that the output contains no password."""
    for done in ended:
        for secret in (PASSWORD, KEY_PASSWORD):
            assert secret not in done.out + done.err


def committed(secured: SecuredKafka, settings: Settings) -> dict[int, int]:
    """Return the group's committed offset of each partition, like a lag tool."""
    config = {"bootstrap.servers": secured.service.bootstrap_servers, **secured.service.client}
    consumer = Consumer({**config, "group.id": settings.consumer_group})
    partitions = [TopicPartition(settings.raw_topic, partition) for partition in range(6)]
    found = consumer.committed(partitions, timeout=20)
    consumer.close()
    return {each.partition: each.offset for each in found}


def test_the_whole_pipeline_runs_with_exactly_the_documented_rights(
    secured: SecuredKafka, settings: Settings, make_topic: Callable[..., str], traffic: Traffic
) -> None:
    make_topic()
    make_topic(settings.events_topic)
    secured.allow(documented(settings, "ingest", "verify --deep", "produce"))
    sent = traffic("produce", "--count", 20_000, "--json")
    assert sent.code == 0, sent.err
    done = traffic("ingest", "--once", "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    totals: dict[str, Any] = json.loads(done.out)
    assert (totals["delivered"], totals["lag"]) == (20_000, 0)
    verified = traffic("verify", "--deep", "--json")
    assert verified.code == 0, verified.err + verified.out
    ends = {part["partition"]: part["next_offset"] for part in totals["partitions"]}
    assert committed(secured, settings) == ends
    expect_no_secret(sent, done, verified)


@pytest.mark.parametrize("way", ["SCRAM-SHA-256", "PLAIN", "PLAIN without TLS", "certificate"])
def test_events_are_ingested_with_every_kind_of_login(
    way: str,
    secured: SecuredKafka,
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    traffic: Traffic,
) -> None:
    make_topic()
    produce([EVENT] * 3)
    secured.allow(documented(settings, "ingest"))
    changed: dict[str, str | None]
    if way == "certificate":
        changed = {**NONE_OF_SASL, **secured.certificate_environment()}
    elif way == "PLAIN without TLS":
        changed = {"TRAFFIC_KAFKA_SSL_CA_LOCATION": None, **secured.plaintext_environment()}
    else:
        changed = {"TRAFFIC_KAFKA_SASL_MECHANISM": way}
    done = traffic("ingest", "--once", "--json", **changed)
    assert done.code == 0, done.err
    assert json.loads(done.out)["delivered"] == 3
    expect_no_secret(done)


def publish(settings: Settings) -> None:
    """Act like the publisher: write a Kafka transaction, then read its own messages."""
    config: dict[str, Any] = {**settings.kafka_config(), "log_level": 0}
    name = "traffic-platform-0d9f3f5e-0"
    producer = Producer({**config, "transactional.id": name, "transaction.timeout.ms": 10_000})
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce(settings.events_topic, EVENT, partition=0)
    producer.commit_transaction(10)
    consumer = Consumer(
        {**config, "group.id": "publisher", "isolation.level": "read_committed"}
        | {"enable.auto.commit": False, "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(settings.events_topic, 0, 0)])
    errors = [message.error() for message in consumer.consume(3, 5)]
    consumer.close()
    for error in errors:
        # The publisher uses no group, so the missing right to one does not matter.
        if error is not None and error.code() not in HARMLESS:
            raise KafkaException(error)


def test_a_publisher_needs_exactly_its_documented_rights(
    secured: SecuredKafka, settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic(settings.events_topic, 1)
    rights = documented(settings, "publisher")
    assert len(rights) == 3
    secured.allow(rights)
    publish(settings)
    for right in rights:
        secured.forbid([right])
        with pytest.raises(KafkaException, match="authorization failed"):
            publish(settings)
        secured.allow([right])


def test_topics_are_created_with_only_the_documented_rights(
    secured: SecuredKafka, settings: Settings, admin: AdminClient, traffic: Traffic
) -> None:
    secured.allow(documented(settings, "ingest"))
    refused = traffic("up", "--detach", "--no-dagster")
    refused.expect_refusal(settings.raw_topic, "allow Create on them", "docs/kafka.md")
    secured.allow(documented(settings, "up"))
    try:
        assert traffic("up", "--detach", "--no-dagster").code == 0
        names = {settings.raw_topic, settings.events_topic}
        assert names <= admin.list_topics(timeout=10).topics.keys()
        secured.forbid(documented(settings, "up"))  # existing topics need no right to create
        traffic("down")
        assert traffic("up", "--detach", "--no-dagster").code == 0
        status = traffic("status", "--json")
        assert json.loads(status.out)["lag"] == 0, status
        expect_no_secret(refused, status)
        wrong = traffic("status", TRAFFIC_KAFKA_SASL_PASSWORD="wrong")
        assert (wrong.code, wrong.err) == (1, "")
        assert wrong.seconds < SOON
        assert "Problem: Kafka at" in wrong.out
        assert "TRAFFIC_KAFKA_SASL_PASSWORD" in wrong.out
    finally:
        traffic("down")
        for future in admin.delete_topics([settings.raw_topic, settings.events_topic]).values():
            future.result(timeout=30)


def test_the_documented_commands_give_the_rights(
    secured: SecuredKafka, settings: Settings, environment: dict[str, str]
) -> None:
    login = {"TRAFFIC_KAFKA_SASL_USERNAME": ADMIN, "TRAFFIC_KAFKA_SASL_PASSWORD": ADMIN_PASSWORD}
    for words in documented_commands(settings)["publisher"]:
        done = subprocess.run(
            [sys.executable, "-m", "traffic_platform.stack.kafka_tool", "acls", "--add", *words],
            env={**os.environ, **environment, **login},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert secured.given() == secured.rights(documented(settings, "publisher"))
