"""Dataset of the browser tests: real detectors, a synthetic corridor, hostile messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from traffic_platform.demo.detectors import Corridor
from traffic_platform.demo.feed import message_batches
from traffic_platform.demo.live_feed import sensor_records
from traffic_platform.demo.replay import replay
from traffic_platform.demo.sender import Sender
from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.detector_health.local_day import local_day
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.rollups import roll_up_all
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import import_sensors, store_sensors
from traffic_platform.settings import Settings
from traffic_platform.stack.kafka import wait_for_topics
from traffic_platform_tests.integration.once import drain

PORTLAND = Path(__file__).parents[2] / "examples" / "portland_i205"
HARM = '<img src=x onerror="window.harmed=1">'
HARMFUL_BYTES = b"<script>window.harmed=2</script>\x00\xff${window.harmed=3}"
INTERVAL_S = 300
ZONE = "America/Los_Angeles"


def make_topics(settings: Settings) -> None:
    """Create the topics of these settings."""
    admin = AdminClient({"bootstrap.servers": settings.endpoints().kafka_bootstrap_servers})
    names = settings.ingest_topics
    topics = [NewTopic(name, num_partitions=3, replication_factor=1) for name in names]
    for future in admin.create_topics(topics).values():
        future.result(timeout=30)
    wait_for_topics(admin, names)


def send(settings: Settings, values: Sequence[bytes], key: bytes = b"test") -> None:
    """Send messages to the raw topic; return when the broker has them."""
    with Sender(settings, settings.raw_topic) as sender:
        sender.send([key] * len(values), values)
        sender.finish()
        sender.require_delivery()


def a_day_ago() -> date:
    """Return yesterday in ZONE, where it may be another date than in UTC."""
    return datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)


def store(settings: Settings) -> None:
    """Ingest all messages and roll them up."""
    drain(settings)
    roll_up_all(settings)


def event(sensor: str, speed: float, volume: int = 1200, occupancy: float = 9.5) -> bytes:
    """Return an event with the current time."""
    measures = {"speed": speed, "volume": volume, "occupancy": occupancy}
    now = datetime.now(UTC).isoformat()
    return json.dumps({"sensor_id": sensor, "timestamp": now, **measures}).encode()


def repeat(sensor: str, since: datetime) -> list[bytes]:
    """Return equal events since then, one every INTERVAL_S seconds."""
    times: list[datetime] = [since]
    while times[-1] < datetime.now(UTC) - timedelta(seconds=2 * INTERVAL_S):
        times.append(times[-1] + timedelta(seconds=INTERVAL_S))
    same = {"sensor_id": sensor, "speed": 44.0, "volume": 900, "occupancy": 12.0}
    return [json.dumps({**same, "timestamp": time.isoformat()}).encode() for time in times]


def describe(sensor: str, **fields: Any) -> SensorRecord:
    """Return a sensor to import."""
    return SensorRecord(sensor_uuid(sensor), sensor, fields)


def rush_zone() -> str:
    """Return a time zone where it is now between 17:00 and 18:00, the rush hour."""
    ahead = (17 - datetime.now(UTC).hour + 12) % 24 - 12
    # The names of these zones count hours west of Greenwich.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def send_corridor(settings: Settings, sensors: int, since: datetime) -> Corridor:
    """Import a synthetic corridor in its rush hour and send its events from `since` until now."""
    corridor = Corridor("demo", sensors, interval_s=INTERVAL_S, timezone=rush_zone())
    store_sensors(settings, sensor_records(corridor.detectors, INTERVAL_S))
    first = corridor.step_at_or_after(round(since.timestamp() * 1e6))
    steps = corridor.step_at_or_after(round(datetime.now(UTC).timestamp() * 1e6)) - first - 1
    with Sender(settings, settings.raw_topic) as sender:
        for batch in message_batches(corridor, first, steps=steps):
            sender.send(batch.keys, batch.values)
        sender.finish()
        sender.require_delivery()
    return corridor


def build(settings: Settings, *, harm: bool = True, first: date | None = None) -> None:
    """Store Portland's hour shifted to now, and a corridor since `first` (default: yesterday).

    `harm` adds hostile text. The detectors are diagnosed for `first`.
    """
    make_topics(settings)
    first = first or a_day_ago()
    import_sensors(settings, PORTLAND)
    replay(settings, PORTLAND / "freeway_loopdata_OneHour.csv", shift_to_now=True)
    send_corridor(settings, 60, local_day(first, settings.timezone).start)
    store_sensors(
        settings,
        [
            describe("live-1", name="Bridge, lane 1", road="OR-99", direction="NORTH", milepost=1.0,
                     interval_s=20, free_flow_mph=55.0),
            describe("live-2", name="Bridge, lane 2", road="OR-99", direction="NORTH", milepost=2.0,
                     interval_s=20, free_flow_mph=55.0),
            describe("stuck-1", name="Toll plaza", road="I-205", direction="NORTH", milepost=20.6,
                     interval_s=INTERVAL_S, latitude=45.515, longitude=-122.5652),
            describe("silent-1", name="Quiet loop", road="OR-99", direction="NORTH", milepost=2.5),
        ],
    )  # fmt: skip
    send(settings, repeat("stuck-1", local_day(first, settings.timezone).start))
    send(settings, [event("live-1", 50.0)])
    if harm:
        store_sensors(settings, [describe(HARM, name=HARM, road=HARM, direction=HARM, milepost=3)])
        send(settings, [event(HARM, 41.0), HARMFUL_BYTES])
    store(settings)
    compute_health(settings, first)
