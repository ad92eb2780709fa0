"""Clients of Kafka end with their session, also when an outage ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.ingest.session import IngestRunSpec, Session
from traffic_platform.kafka import transactional_producer
from traffic_platform.publish.publisher_session import PublisherSession
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import KafkaServer
from traffic_platform_tests.faults.feed import send

MakeTopic = Callable[..., str]

OUTAGES = 3
ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)


@pytest.fixture
def stored(settings: Settings, make_topic: MakeTopic) -> Settings:
    """Events that are stored and not published, in two partitions."""
    make_topic(partitions=2)
    make_topic(settings.events_topic, partitions=2)
    send(settings, 3000)
    run_ingest(settings, settings.ingest_topics, limits=ONCE, run_id=None, stop=lambda: False)
    return settings


@pytest.fixture
def short_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Producers that give up after a second."""
    monkeypatch.setattr(transactional_producer, "_REQUEST_SECONDS", 1.0)


def client_threads() -> int:
    """Return the number of threads of Kafka's C client in this process."""
    names = [task / "comm" for task in Path("/proc/self/task").iterdir()]
    return sum(name.read_text().startswith("rdk:") for name in names if name.exists())


@pytest.mark.usefixtures("short_requests")
def test_a_publisher_caught_by_an_outage_in_a_transaction_leaves_no_client(
    stored: Settings, kafka: KafkaServer
) -> None:
    threads, descriptors = client_threads(), psutil.Process().num_fds()
    errors: list[Exception] = []
    for _outage in range(OUTAGES):
        try:
            with PublisherSession.open(stored, None) as session:
                assert session.try_lock()
                session.begin()
                os.kill(kafka.process.pid, signal.SIGSTOP)
                session.publish_next()
        except Exception as error:
            errors.append(error)  # its traceback refers to the session
        finally:
            os.kill(kafka.process.pid, signal.SIGCONT)
    assert len(errors) == OUTAGES
    assert (client_threads(), psutil.Process().num_fds()) == (threads, descriptors)


def test_an_ingest_session_that_fails_leaves_no_client(stored: Settings) -> None:
    threads, descriptors = client_threads(), psutil.Process().num_fds()
    errors: list[Exception] = []
    for _session in range(OUTAGES):
        try:
            with Session.open(stored, IngestRunSpec((stored.raw_topic,), None, 0, 1)) as session:
                assert session.try_lock()
                session.begin()
                raise ConnectionError
        except ConnectionError as error:
            errors.append(error)
    assert len(errors) == OUTAGES
    assert (client_threads(), psutil.Process().num_fds()) == (threads, descriptors)
