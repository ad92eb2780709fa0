"""Verification of a database with one deleted, altered, doubled or invented row."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import sql

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.settings import Settings
from traffic_platform.verify import Finding, VerifyReport, verify
from traffic_platform.verify.verify import no_progress, verify_snapshot
from traffic_platform.verify.verify_report import LIMIT
from traffic_platform_tests.conftest import TEMPLATE, KafkaServer, PostgresServer
from traffic_platform_tests.integration.verify_sample import fill
from traffic_platform_tests.integration.verify_spoilings import (
    DEEP,
    SHALLOW,
    alter,
    at,
    copy_row,
    delete,
)

REGISTER_STRANGER = (
    "insert into traffic.sensors (sensor_id, external_id, origin)"
    f" values ('{sensor_uuid('stranger')}', 'stranger', 'imported')"
)


@dataclass(frozen=True)
class Sample:
    """The ingested database that every test copies, and settings for a copy of it."""

    postgres: PostgresServer
    database: str
    topic: str
    bootstrap_servers: str

    def settings(self, database: str) -> Settings:
        """Return settings for a copy of the sample."""
        url = self.postgres.service.url
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            kafka_bootstrap_servers=self.bootstrap_servers,
            database_url=url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
            ingest_database_url=url("traffic_ingest", database),  # pyright: ignore[reportArgumentType]
            read_database_url=url("traffic_read", database),  # pyright: ignore[reportArgumentType]
            raw_topic=self.topic,
            unknown_sensors="quarantine",
            consumer_group=self.topic,
        )


@pytest.fixture(scope="module")
def sample(postgres: PostgresServer, kafka: KafkaServer) -> Iterator[Sample]:
    """The sample."""
    with filled_sample(postgres, kafka) as made:
        yield made


@contextmanager
def filled_sample(postgres: PostgresServer, kafka: KafkaServer) -> Iterator[Sample]:
    """Fill a database and its topic, which has two partitions with the broker's time."""
    name = f"verified_{uuid.uuid4().hex[:8]}"
    made = Sample(postgres, name, f"{name}-raw", kafka.bootstrap_servers)
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "traffic_owner", template=TEMPLATE)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    topic = NewTopic(
        made.topic,
        num_partitions=2,
        replication_factor=1,
        config={"message.timestamp.type": "LogAppendTime"},
    )
    admin.create_topics([topic])[made.topic].result(timeout=30)
    fill(made.settings(name), made.topic)
    yield made
    admin.delete_topics([made.topic])[made.topic].result(timeout=30)
    with postgres.superuser() as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def spoilt(sample: Sample) -> Iterator[psycopg.Connection]:
    """A superuser's connection without foreign keys; its transaction is rolled back."""
    url = sample.postgres.service.url("postgres", sample.database)
    with psycopg.connect(url, options="-c TimeZone=UTC -c search_path=pg_catalog") as connection:
        connection.execute("set session_replication_role = replica")
        yield connection
        connection.rollback()


def verify_after(
    sample: Sample, connection: psycopg.Connection, *statements: str, deep: bool = False
) -> VerifyReport:
    """Return the report of a verification after these changes."""
    for statement in statements:
        changed = connection.execute(statement).rowcount  # pyright: ignore[reportArgumentType]
        assert changed != 0, f"nothing was changed by: {statement}"
    return verify_snapshot(connection, sample.settings(sample.database), deep, no_progress)


def test_an_untouched_database_passes_and_its_rows_are_counted(sample: Sample) -> None:
    report = verify(sample.settings(sample.database), deep=True)
    assert report.holds, report.findings[0].sentence
    assert report.rows == {"raw_events": 33, "traffic_readings": 26}
    assert (report.messages_decoded, report.messages_in_kafka, report.lag) == (33, 33, 0)
    assert [log.partition for log in report.logs] == [0, 1]
    assert not report.stale


def assert_names(finding: Finding, table: str, key: dict[str, Any]) -> None:
    """Assert that the finding names this table and a key with these parts."""
    assert finding.table == table, finding.sentence
    assert key.items() <= finding.key.items(), finding.sentence
    assert finding.sentence.startswith(f"{table} ("), finding.sentence


@pytest.mark.parametrize("what", SHALLOW)
def test_a_difference_is_the_first_to_be_named(
    what: str, sample: Sample, spoilt: psycopg.Connection
) -> None:
    statement, table, key = SHALLOW[what]
    report = verify_after(sample, spoilt, statement)
    assert not report.holds, what
    assert_names(report.findings[0], table, key)


@pytest.mark.parametrize("what", DEEP)
def test_a_deep_verification_names_differences_that_tables_alone_cannot_show(
    what: str, sample: Sample, spoilt: psycopg.Connection
) -> None:
    statement, table, key = DEEP[what]
    assert verify_after(sample, spoilt, statement).holds
    report = verify_after(sample, spoilt, deep=True)
    assert not report.holds, what
    assert_names(report.findings[0], table, key)


def test_a_message_deleted_from_every_table_is_named_by_a_deep_verification(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    tables = ("raw_events", "processed_events", "traffic_readings")
    deletions = (delete(table, at(0, 5)) for table in tables)
    assert_names(verify_after(sample, spoilt, *deletions).findings[0], "micro_batches", {})
    findings = verify_after(sample, spoilt, deep=True).findings
    assert ("raw_events", 5) in [(item.table, item.key.get("offset")) for item in findings]


def test_an_event_of_a_sensor_registered_since_waits_for_reprocessing(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(sample, spoilt, REGISTER_STRANGER, deep=True)
    assert report.holds, report.findings[0].sentence
    assert report.waiting_for_replay == 1


@pytest.mark.parametrize("column", ["reason", "detail"])
def test_nothing_else_waits_for_reprocessing(
    sample: Sample, spoilt: psycopg.Connection, column: str
) -> None:
    altered = alter("quarantined_events", at(1, 14), **{column: "'no_measures'"})
    report = verify_after(sample, spoilt, REGISTER_STRANGER, altered, deep=True)
    assert report.waiting_for_replay == 0
    names = {finding.table for finding in report.findings}
    assert names == {"processed_events", "quarantined_events"}


def test_a_reading_doubled_in_spite_of_its_key_is_named(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(
        sample,
        spoilt,
        "alter table traffic.traffic_readings drop constraint traffic_readings_pkey",
        copy_row("traffic_readings", at(1, 6)),
    )
    assert_names(report.findings[0], "traffic_readings", {})
    assert (report.findings[0].expected, report.findings[0].found) == ("one row", "2")


# A column that anybody can write, in place of the one that the server computes.
PLAIN_ID = (
    "alter table traffic.traffic_readings drop column id cascade",
    "alter table traffic.traffic_readings add column id uuid",
)
KEY = (
    "md5(uuid_send(sensor_id) ||"
    " int8send((extract(epoch from \"timestamp\" at time zone 'UTC') * 1000000)::bigint))::uuid"
)


def test_an_id_that_is_no_longer_generated_is_named(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(sample, spoilt, *PLAIN_ID)
    assert_names(report.findings[0], "traffic_readings", {"column": "id"})


def test_an_id_that_is_not_the_one_of_its_key_is_named(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(
        sample,
        spoilt,
        *PLAIN_ID,
        alter("traffic_readings", "true", id=KEY),
        alter("traffic_readings", at(1, 6), id="gen_random_uuid()"),
        deep=True,
    )
    assert "sensor_id" in report.findings[-1].key
    assert report.findings[-1].expected == "the id that is made from sensor_id and timestamp"


def test_rows_beyond_the_limit_are_counted_and_not_listed(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(sample, spoilt, alter("traffic_readings", "true", speed="99"), deep=True)
    assert len(report.findings) == LIMIT
    assert report.cut
