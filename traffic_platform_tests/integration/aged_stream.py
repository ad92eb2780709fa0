"""A stream of all kinds of messages that arrived long ago, in several hours.

Kafka's timestamps are the producer's, 200 days ago, so that they stay before any arrival. The times
that the platform stored itself are moved back afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import (
    TEMPLATE,
    KafkaServer,
    PostgresServer,
    create_topic,
    own_settings,
)
from traffic_platform_tests.integration.once import drain, event

TOPIC = {"message_timestamp_type": "CreateTime", "retention_ms": "-1"}
"""Arguments of `make_topic` for a topic of such messages."""

_AGES = (
    "update traffic.micro_batches set committed_at = committed_at - %(age)s",
    "update traffic.quarantined_events set quarantined_at = quarantined_at - %(age)s,"
    " resolved_at = resolved_at - %(age)s",
    "update traffic.traffic_readings set created_at = created_at - %(age)s,"
    " updated_at = updated_at - %(age)s",
    "update traffic.raw_events set ingested_at = ingested_at - %(age)s",
)


def send(settings: Settings, values: Sequence[bytes | None], partition: int) -> None:
    """Send messages with a time of 200 days ago, each later than the one before."""
    producer = Producer({"bootstrap.servers": settings.endpoints().kafka_bootstrap_servers})
    begin = time.time_ns() // 1_000_000 - 200 * 86_400_000
    for number, value in enumerate(values):
        producer.produce(
            settings.raw_topic, value, partition=partition, timestamp=begin + 1_000 * number
        )
    assert producer.flush(30) == 0


def grow_older(owner: psycopg.Connection, age: timedelta) -> None:
    """Move the arrival of all stored rows back by `age`."""
    with owner.transaction():
        owner.execute("set local timezone to 'UTC'")
        days = owner.execute(
            "select distinct (ingested_at - %s)::date from traffic.raw_events", (age,)
        )
        for (day,) in days.fetchall():
            ensure(owner, "raw_events", day)
        for statement in _AGES:
            owner.execute(statement, {"age": age})


def ensure(owner: psycopg.Connection, parent: str, day: date) -> None:
    """Create a partition if it is missing."""
    owner.execute("select traffic.ensure_partition(%s, %s)", (parent, day))


def fill(settings: Settings, owner: psycopg.Connection, hours: int = 3) -> None:
    """Store several batches per hour with events of October and November 2025.

    They include repeats and rejected messages. The setting `unknown_sensors` must be quarantine.
    The last hour ends with a reprocessing that stores two messages.
    """
    import_sensors(settings, "a", "b")
    november = 30 * 24 * 60
    for hour in range(hours):
        for batch in range(2):
            minute = 10 * (2 * hour + batch)
            send(
                settings,
                [
                    event("a", minute),
                    event("a", minute + november),
                    event("a", 0, speed=40.0 + minute),
                    b"not json",
                    event("a", minute),
                ],
                partition=0,
            )
            send(settings, [event("b", minute), None, event("b", minute + november)], partition=1)
            drain(settings)
        grow_older(owner, timedelta(hours=1))
    send(settings, [event("late", 1), event("late", 2 + november), event("stranger")], partition=1)
    drain(settings)
    import_sensors(settings, "late")
    assert reprocess_rejected(settings, QuarantineFilter()).replayed == 2
    send(settings, [event("a", 500), event("a", 501 + november)], partition=1)
    drain(settings)


def import_sensors(settings: Settings, *external_ids: str) -> None:
    """Import sensors."""
    store_sensors(settings, [SensorRecord(sensor_uuid(name), name, {}) for name in external_ids])


@contextmanager
def filled_platform(
    postgres: PostgresServer, kafka: KafkaServer, folder: Path
) -> Iterator[tuple[Settings, psycopg.Connection]]:
    """Yield a platform filled by `fill`, and its owner. Tests copy its database."""
    with postgres.new_database("traffic_owner", TEMPLATE) as name:
        settings = own_settings(postgres, kafka, name, folder)
        create_topic(AdminClient(settings.kafka_config()), settings.raw_topic, 2, **TOPIC)
        known = settings.model_copy(update={"unknown_sensors": "quarantine", "publish": False})
        with psycopg.connect(known.endpoints().owner_url, autocommit=True) as owner:
            fill(known, owner)
            yield known, owner


def database_of(settings: Settings) -> str:
    """Return the name of a database."""
    return settings.endpoints().owner_url.rpartition("/")[2]


def with_database(platform: Settings, own: Settings) -> Settings:
    """Return the settings of a platform, its topics included, with another database and home.

    Tests that share the topics send nothing.
    """
    names = ("database_url", "ingest_database_url", "read_database_url", "home")
    return platform.model_copy(update={name: getattr(own, name) for name in names})
