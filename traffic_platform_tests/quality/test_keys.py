"""The checks of keys, on broken tables."""

from __future__ import annotations

import psycopg
import pytest

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.keys import no_duplicate_readings, no_null_in_keys

DAY = "2025-10-04"


@pytest.fixture
def partition(owner: psycopg.Connection) -> str:
    """A partition of readings with one reading in it."""
    row = owner.execute(f"select traffic.ensure_partition('traffic_readings', '{DAY}')").fetchone()
    owner.execute(
        "insert into traffic.sensors (sensor_id, external_id, origin) "
        "values (gen_random_uuid(), 'a', 'seen')"
    )
    insert_reading(owner)
    assert row
    return str(row[0])


def insert_reading(owner: psycopg.Connection) -> None:
    """Insert the same reading each time."""
    owner.execute(
        'insert into traffic.traffic_readings (sensor_id, "timestamp", quality_score, '
        'quality_flags, broker_timestamp, topic_no, partition, "offset", created_at, updated_at) '
        f"select sensor_id, '{DAY} 12:00+00', 1, 0, now(), 1, 0, 0, now(), now() "
        "from traffic.sensors"
    )


def drop_key(owner: psycopg.Connection) -> None:
    owner.execute("alter table traffic.traffic_readings drop constraint traffic_readings_pkey")


def test_a_partition_with_its_key_passes(context: CheckContext, partition: str) -> None:
    outcome = no_duplicate_readings(context)
    assert outcome.passed
    assert outcome.numbers["partitions without a unique index"] == 0


def test_a_duplicate_fails_and_is_in_the_sample(
    owner: psycopg.Connection, context: CheckContext, partition: str
) -> None:
    drop_key(owner)
    insert_reading(owner)
    outcome = no_duplicate_readings(context)
    assert not outcome.passed
    assert outcome.numbers["duplicates"] == 1
    assert outcome.sample[0]["rows"] == 2


def test_a_partition_without_a_key_fails_before_there_is_a_duplicate(
    owner: psycopg.Connection, context: CheckContext, partition: str
) -> None:
    drop_key(owner)
    outcome = no_duplicate_readings(context)
    assert not outcome.passed
    assert outcome.numbers["duplicates"] == 0
    assert partition in outcome.summary


@pytest.mark.parametrize(
    "index",
    [
        'index on {} (sensor_id, "timestamp")',
        'unique index on {} (sensor_id, "timestamp", partition)',
        'unique index on {} (sensor_id, "timestamp") where partition = 0',
    ],
)
def test_an_index_that_allows_duplicates_proves_nothing(
    owner: psycopg.Connection, context: CheckContext, partition: str, index: str
) -> None:
    drop_key(owner)
    owner.execute("create " + index.format(f"traffic.{partition}"))  # pyright: ignore
    assert not no_duplicate_readings(context).passed


def test_another_unique_index_on_the_key_suffices(
    owner: psycopg.Connection, context: CheckContext, partition: str
) -> None:
    drop_key(owner)
    owner.execute(f'create unique index on traffic.{partition} ("timestamp", sensor_id)')  # pyright: ignore
    assert no_duplicate_readings(context).passed


def test_keys_without_nulls_pass(context: CheckContext, partition: str) -> None:
    outcome = no_null_in_keys(context)
    assert outcome.passed
    assert outcome.numbers["nulls"] == 0


@pytest.fixture
def processed(owner: psycopg.Connection) -> str:
    """A partition of processed events whose sensor_id may be null."""
    row = owner.execute(f"select traffic.ensure_partition('processed_events', '{DAY}')").fetchone()
    owner.execute("alter table traffic.processed_events alter sensor_id drop not null")
    assert row
    return str(row[0])


def test_a_null_in_a_key_fails_and_is_counted(
    owner: psycopg.Connection, context: CheckContext, processed: str
) -> None:
    owner.execute(
        'insert into traffic.processed_events (topic_no, partition, "offset", "timestamp", '
        f"quality_score, quality_flags, format, batch_id) values (1, 0, 0, '{DAY}', 1, 0, 1, 1)"
    )
    outcome = no_null_in_keys(context)
    assert not outcome.passed
    assert outcome.numbers["nulls"] == 1
    assert f"traffic.{processed}.sensor_id" in outcome.summary


def test_a_key_column_that_may_be_null_fails_before_it_is(
    context: CheckContext, processed: str
) -> None:
    outcome = no_null_in_keys(context)
    assert not outcome.passed
    assert outcome.numbers["nulls"] == 0


def test_a_not_null_that_was_never_validated_proves_nothing(
    owner: psycopg.Connection, context: CheckContext, processed: str
) -> None:
    if owner.info.server_version < 180000:
        return  # such a constraint exists from PostgreSQL 18 on
    owner.execute(
        f"alter table traffic.{processed} add constraint s not null sensor_id not valid"  # pyright: ignore
    )
    assert not no_null_in_keys(context).passed
    owner.execute(f"alter table traffic.{processed} validate constraint s")  # pyright: ignore
    assert no_null_in_keys(context).passed
