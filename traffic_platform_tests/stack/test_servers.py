"""The embedded servers alone: rights, addresses, settings, and data after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings
from traffic_platform.stack.kafka import create_topics
from traffic_platform.stack.postgres import Postgres
from traffic_platform_tests.conftest import KafkaServer, PostgresServer


def test_every_role_reaches_the_migrated_database(settings: Settings) -> None:
    endpoints = settings.endpoints()
    for url in (endpoints.owner_url, endpoints.ingest_url, endpoints.read_url):
        with psycopg.connect(url) as connection:
            assert connection.execute("select count(*) from traffic.raw_events").fetchone() == (0,)


def test_readers_cannot_write_and_writers_cannot_change_the_schema(settings: Settings) -> None:
    endpoints = settings.endpoints()
    statements = {
        endpoints.read_url: "delete from traffic.sensors",
        endpoints.ingest_url: "drop table traffic.sensors",
    }
    for url, statement in statements.items():
        with (
            psycopg.connect(url) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_a_role_needs_its_password_and_its_own_database(
    settings: Settings, postgres: PostgresServer
) -> None:
    port = postgres.service.port
    for role in ("postgres", "traffic_owner", "dagster"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{role}:wrong@127.0.0.1:{port}/postgres")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(postgres.service.url("dagster", "traffic"))


def test_the_servers_listen_on_the_loopback_address_only(
    postgres: PostgresServer, kafka: KafkaServer
) -> None:
    for pid in (postgres.process.pid, kafka.process.pid):
        listening = [
            connection.laddr.ip.removeprefix("::ffff:")
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) == {"127.0.0.1"}


def test_topics_are_created_once_with_the_brokers_time(
    settings: Settings, kafka: KafkaServer, admin: AdminClient
) -> None:
    names = (settings.raw_topic, settings.events_topic)
    create_topics(settings, kafka.bootstrap_servers, names[:1])
    create_topics(settings, kafka.bootstrap_servers, names)
    topics = admin.list_topics(timeout=10).topics
    assert [len(topics[name].partitions) for name in names] == [6, 6]
    resource = ConfigResource(ResourceType.TOPIC, settings.raw_topic)
    config = admin.describe_configs([resource])[resource].result(timeout=10)
    assert config["message.timestamp.type"].value == "LogAppendTime"
    for future in admin.delete_topics(list(names)).values():
        future.result(timeout=10)


def test_committed_rows_survive_a_killed_postgresql(
    settings: Settings, postgres: PostgresServer
) -> None:
    with psycopg.connect(settings.endpoints().ingest_url) as connection:
        connection.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin)"
            " values (gen_random_uuid(), 'a', 'seen')"
        )
    postgres.process.kill()
    postgres.process.start()
    with psycopg.connect(settings.endpoints().read_url) as connection:
        assert connection.execute("select external_id from traffic.sensors").fetchall() == [("a",)]


def test_the_zombie_of_a_killed_postgresql_does_not_count_as_running(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    started = psutil.Process(killed.pid).create_time()
    pid_file = data / "postmaster.pid"
    pid_file.write_text(f"{killed.pid}\n{data}\n{started:.0f}\n5432\n")
    Postgres(data.parent, tmp_path / "passwords.json", 5432).command()
    assert not pid_file.exists()
    killed.communicate()


def test_acknowledged_messages_survive_a_killed_kafka(
    settings: Settings,
    kafka: KafkaServer,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    topic = make_topic(partitions=1)
    produce([b"1", b"2", b"3"])
    kafka.process.kill()
    kafka.process.start()
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": settings.consumer_group}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes | None] = []
    while len(values) < 3:
        values += [message.value() for message in consumer.consume(3, timeout=20)]
    consumer.close()
    assert values == [b"1", b"2", b"3"]


def test_a_sessions_options_join_those_of_the_url(settings: Settings) -> None:
    url = (
        f"{settings.endpoints().read_url}?options=-c%20work_mem%3D8MB%20-c%20TimeZone%3DAsia/Tokyo"
    )
    with connect(url, application_name="test") as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()  # pyright: ignore
            for name in ("work_mem", "timezone", "lock_timeout")
        ]
    assert shown == [("8MB",), ("UTC",), ("10s",)]
