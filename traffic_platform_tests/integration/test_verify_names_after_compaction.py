"""Verification names the same differences in a database with compacted audit rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.integration.test_verify_names_every_difference import (
    Sample,
    assert_names,
    filled_sample,
    verify_after,
)
from traffic_platform_tests.integration.verify_spoilings import DEEP, SECOND, SHALLOW

COMPACTED = "partition = 0 and batches > 1"
# The compacted row is the only one of its partition generation. So where it is missing or too long,
# the first finding names the ledger.
NAMED_BY_THE_LEDGER = {
    "an audit row deleted",
    "an audit row's next_offset altered",
    "an ingest run's audit row turned into one of reprocessing",
}


@pytest.fixture(scope="module")
def sample(postgres: PostgresServer, kafka: KafkaServer) -> Iterator[Sample]:
    """The sample after a compaction three days later."""
    with filled_sample(postgres, kafka) as made:
        settings = made.settings(made.database).model_copy(update={"publish": False})
        with psycopg.connect(settings.endpoints().ingest_url, autocommit=True) as connection:
            result = compact_audit(connection, settings, datetime.now(UTC) + timedelta(days=3))
        assert result.rows > result.into > 0
        yield made


@pytest.fixture
def spoilt(sample: Sample) -> Iterator[psycopg.Connection]:
    """A superuser's connection without foreign keys; its transaction is rolled back."""
    url = sample.postgres.service.url("postgres", sample.database)
    with psycopg.connect(url, options="-c TimeZone=UTC -c search_path=pg_catalog") as connection:
        connection.execute("set session_replication_role = replica")
        yield connection
        connection.rollback()


def test_the_compacted_database_passes(sample: Sample) -> None:
    report = verify(sample.settings(sample.database), deep=True)
    assert report.holds, report.findings[0].sentence
    assert report.rows == {"raw_events": 33, "traffic_readings": 26}


@pytest.mark.parametrize("what", SHALLOW)
def test_a_difference_is_the_first_to_be_named(
    what: str, sample: Sample, spoilt: psycopg.Connection
) -> None:
    statement, table, key = SHALLOW[what]
    statement = statement.replace(SECOND, COMPACTED)
    if what == "an audit row's batch altered":  # still before the last of its batches
        statement = statement.replace("9999", "batch_id + 1")
    report = verify_after(sample, spoilt, statement)
    assert not report.holds, what
    if what in NAMED_BY_THE_LEDGER:
        table, key = "kafka_offsets", {"partition": 0}
    assert_names(report.findings[0], table, key)


@pytest.mark.parametrize("what", DEEP)
def test_a_deep_verification_names_differences_that_tables_alone_cannot_show(
    what: str, sample: Sample, spoilt: psycopg.Connection
) -> None:
    statement, table, key = DEEP[what]
    report = verify_after(sample, spoilt, statement.replace(SECOND, COMPACTED), deep=True)
    assert not report.holds, what
    assert_names(report.findings[0], table, key)


def test_a_batch_number_of_a_compacted_row_that_another_row_claims_is_named(
    sample: Sample, spoilt: psycopg.Connection
) -> None:
    report = verify_after(
        sample,
        spoilt,
        "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset,"
        " next_offset, delivered, raw, processed, quarantined, inserted, updated, unchanged,"
        " rules_version) select last_batch_id, topic_no, partition, next_offset, next_offset,"
        " 0, 0, 0, 0, 0, 0, 0, rules_version from traffic.micro_batches"
        f" where {COMPACTED}",
    )
    assert_names(report.findings[0], "micro_batches", {"partition": 0})
    assert "no other audit row of the generation" in report.findings[0].expected
