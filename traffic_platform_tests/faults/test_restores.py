"""PostgreSQL goes back in time, by a failover or a restore, while Kafka goes on.

Each event must stand once in the clean stream, and everything must agree. The moments of kills and
losses follow from a seed; `--seeds 5` tries five of them.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traffic_platform.ingest.drain import run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.settings import Settings
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform_tests.conftest import KafkaServer, as_environment
from traffic_platform_tests.faults.feed import Feed
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.faults.postgres_copies import COPIES, Servers
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.integration.once import ONCE, assert_proven, rows

Produce = Callable[..., None]

SENSORS = 6  # whose messages are rejected until they are reprocessed


@pytest.fixture
def servers(tmp_path: Path, server_ports: Ports) -> Iterator[Servers]:
    """PostgreSQL servers of the test's own."""
    made = Servers(tmp_path, server_ports)
    yield made
    made.stop()


def settings_for(server: Postgres, settings: Settings) -> Settings:
    """Return settings with the same topics and another PostgreSQL."""
    urls = {
        f"{name}database_url": server.url(role, "traffic")
        for name, role in {
            "": "traffic_owner",
            "ingest_": "traffic_ingest",
            "read_": "traffic_read",
        }.items()
    }
    given = settings.model_dump(exclude_unset=True) | urls
    return Settings(_env_file=None, **given)  # pyright: ignore[reportCallIssue]


def zoned(settings: Settings) -> Settings:
    """Return settings under which times without a zone are valid."""
    return settings.model_copy(update={"naive_timezone": "America/Los_Angeles"})


def naive_events(sensor: int) -> list[bytes]:
    """Return events of a sensor that are rejected because their times have no zone."""
    return [
        json.dumps(
            {"sensor_id": f"naive{sensor}", "timestamp": f"2025-06-30T12:{n:02}:00", "speed": n}
        ).encode()
        for n in range(20)
    ]


def reprocess(settings: Settings, sensor: int) -> None:
    """Reprocess the messages of one of the sensors."""
    which = QuarantineFilter(sensor=f"naive{sensor}")
    assert reprocess_rejected(zoned(settings), which).replayed == 20


def ingest(settings: Settings) -> None:
    """Store everything that Kafka holds."""
    topics = list(settings.ingest_topics)
    run_ingest(settings, topics, limits=ONCE, run_id=None, stop=lambda: False)


def publish(settings: Settings) -> None:
    """Publish all stored events."""
    run_publisher(settings, limits=ONCE, run_id=None, stop=lambda: False)


def published(settings: Settings) -> Counter[tuple[Any, ...]]:
    """Count our messages in the clean stream by source."""
    headers = [
        dict(message.headers)["traffic-origin"] or b""
        for message in read_published(settings, settings.events_topic)
    ]
    return Counter(tuple(int(n) for n in header.split(b"/")[1:4]) for header in headers)


@pytest.mark.parametrize("kind", COPIES)
def test_each_event_is_published_once_although_postgresql_goes_back(
    settings: Settings,
    kafka: KafkaServer,
    make_topic: Callable[..., str],
    produce: Produce,
    servers: Servers,
    tmp_path: Path,
    kind: str,
    story_seed: int,
) -> None:
    chance = random.Random(f"{kind} {story_seed}")
    published_before = (list(COPIES).index(kind) + story_seed) % 2 == 1  # else only after the mark
    pause = threading.Event()
    for topic in settings.ingest_topics:
        make_topic(topic, partitions=3)
    first = servers.start_first()
    before = settings_for(servers.first, settings)
    copy = COPIES[kind](servers)
    copy.begin()
    runs: list[RunProcess] = []

    def start(topics: list[str] | None) -> None:
        log = tmp_path / f"run-{len(runs)}.log"
        runs.append(
            RunProcess(
                as_environment(before), log, run_id=log.stem, writer=0, writers=1, limits={},
                topics=topics,
            )
        )  # fmt: skip

    for sensor in range(SENSORS):
        produce(naive_events(sensor))
    ingest(before)
    reprocess(before, 0)
    feed = Feed(settings, rate=1000)
    try:
        start(settings.ingest_topics)
        if published_before:
            start(None)
            wait_until(lambda: bool(published(before)), "something is published")
        pause.wait(chance.uniform(0, 2))
        copy.mark()
        if not published_before:
            start(None)
        reprocess(before, 1)
        reprocess(before, 2)
        seen = len(published(before))
        wait_until(lambda: len(published(before)) > seen, "the publisher goes on")
        pause.wait(chance.uniform(0, 2))
        killed = [first.kill, *(run.kill for run in runs)]
        chance.shuffle(killed)
        for kill in killed:
            kill()
            pause.wait(chance.uniform(0, 0.2))
        after = settings_for(copy.recover(), settings)
        if chance.random() < 0.5:
            publish(after)
        ingest(after)
        reprocess(after, 2)
        publish(after)
    finally:
        feed.abandon()
        for run in runs:
            run.kill()
    ingest(after)
    for sensor in (1, 3, 4, 5):
        reprocess(after, sensor)
    publish(after)
    ingest(after)
    events = rows(
        after,
        'select topic_no, partition, "offset" from traffic.processed_events'
        " join traffic.topics using (topic_no) where name = %s",
        (settings.raw_topic,),
    )
    assert published(after) == Counter(events)
    assert_proven(zoned(after))
