"""A small database with at least one example of everything that verification examines.

Partitions 0 and 1 hold events of the same sensors and times. There are flat and nested events,
repeats with other and with equal measures, rejected messages, keys, headers, and an aborted Kafka
transaction. Only known sensors may report: two events of a sensor that was imported too late are
reprocessed, and an event of an unknown sensor stays in quarantine.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.ingest.drain import IngestTotals, RunLimits, run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)
ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)


def flat(sensor: str, minute: int, speed: float | None, volume: int | None = 900) -> bytes:
    """Return a flat event of 2025-10-04, 12:00 UTC plus `minute`."""
    return json.dumps(
        {"sensor_id": sensor, "timestamp": _time(minute), "speed": speed, "volume": volume}
    ).encode()


def nested(sensor: str, minute: int, speed: float) -> bytes:
    """Return a nested event of the same time."""
    data = {"speed_mph": speed, "volume_vehicles_per_hour": 600, "occupancy_percent": 4.5}
    return json.dumps(
        {"sensor_id": sensor, "timestamp": _time(minute), "traffic_data": data}
    ).encode()


def drain(settings: Settings) -> IngestTotals:
    """Run ingest until it has caught up."""
    return run_ingest(settings, [settings.raw_topic], limits=ONCE, run_id=None, stop=lambda: False)


def fill(settings: Settings, topic: str) -> None:
    """Send and ingest the sample in several batches, then reprocess."""
    import_sensors(settings, *"abcd")
    with_headers = [("trace", b"\x00\xff"), ("none", None)]
    producer = Producer({"bootstrap.servers": settings.endpoints().kafka_bootstrap_servers})
    for minute in range(10):
        producer.produce(topic, flat("a", minute, 50.0 + minute), partition=0)
        producer.produce(topic, nested("b", minute, 40.0), partition=1, key=b"b")
    _flush_and_drain(producer, settings)

    producer.produce(topic, b"not json", partition=0, key=b"\x00k", headers=with_headers)
    producer.produce(topic, None, partition=0)
    producer.produce(topic, flat("c", 3, None, None), partition=0)
    producer.produce(topic, flat("a", 0, 61.0), partition=0, headers=with_headers)
    producer.produce(topic, flat("a", 1, 51.0), partition=0)
    producer.produce(topic, nested("a", 2, 33.0), partition=1)
    _flush_and_drain(producer, settings)

    _produce_in_transactions(settings, topic)
    producer.produce(topic, nested("c", 5, 20.0), partition=1)
    _flush_and_drain(producer, settings)

    producer.produce(topic, flat("late", 20, 30.0), partition=1)
    producer.produce(topic, nested("late", 21, 31.0), partition=1)
    producer.produce(topic, flat("stranger", 22, 32.0), partition=1)
    _flush_and_drain(producer, settings)
    import_sensors(settings, "late")
    assert reprocess_rejected(settings, QuarantineFilter()).replayed == 2


def import_sensors(settings: Settings, *external_ids: str) -> None:
    """Import sensors."""
    store_sensors(settings, [SensorRecord(sensor_uuid(name), name, {}) for name in external_ids])


def _produce_in_transactions(settings: Settings, topic: str) -> None:
    producer = Producer(
        {
            "bootstrap.servers": settings.endpoints().kafka_bootstrap_servers,
            "transactional.id": topic,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for minute in range(10, 13):
        producer.produce(topic, flat("d", minute, 45.0), partition=0)
    producer.commit_transaction(30)
    producer.begin_transaction()
    producer.produce(topic, flat("never", 1, 45.0), partition=0)
    producer.flush(30)
    producer.abort_transaction(30)


def _flush_and_drain(producer: Producer, settings: Settings) -> None:
    assert producer.flush(30) == 0
    drain(settings)


def _time(minute: int) -> str:
    return (NOON + timedelta(minutes=minute)).isoformat()
