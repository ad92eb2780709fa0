"""Differences that verification names beside compacted and dropped rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.integration.aged_stream import (
    database_of,
    filled_platform,
    grow_older,
    send,
    with_database,
)
from traffic_platform_tests.integration.maintenance_tools import keep, proof
from traffic_platform_tests.integration.once import drain, event, rows


@pytest.fixture(scope="module")
def kept_source(
    postgres: PostgresServer, kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A platform after maintenance, with messages that arrived later."""
    with filled_platform(postgres, kafka, tmp_path_factory.mktemp("kept")) as (settings, owner):
        grow_older(owner, timedelta(days=40))
        keep(settings)
        send(settings, [event("a", 700), event("a", 701)], partition=0)
        drain(settings)
        proof(settings)
        owner.close()
        yield settings


@pytest.fixture
def template(kept_source: Settings) -> str:
    """Name of its database, which each test copies."""
    return database_of(kept_source)


@pytest.fixture
def kept(kept_source: Settings, settings: Settings) -> Settings:
    """A copy of the platform."""
    return with_database(kept_source, settings)


@pytest.mark.parametrize(
    ("spoil", "table"),
    [
        ('delete from traffic.raw_events where partition = 0 and "offset" = {new}', "raw_events"),
        (
            'delete from traffic.processed_events where partition = 0 and "offset" = {new}',
            "processed_events",
        ),
        (
            'delete from traffic.processed_events where partition = 0 and "offset" = 6',
            "micro_batches",
        ),
        (
            'update traffic.processed_events set "offset" = 1000 where "offset" = 5',
            "raw_events",
        ),
        (
            "update traffic.micro_batches set raw = raw + 1, delivered = delivered + 1,"
            " quarantined = quarantined + 1 where batches > 1 and partition = 1"
            " and first_offset = 0",
            "micro_batches",
        ),
        ("update traffic.dropped_rows set rows = rows - 1 where partition = 1", "dropped_rows"),
        ("update traffic.traffic_readings set speed = 3", "traffic_readings"),
        ("delete from traffic.micro_batches where partition = 0 and batches > 1", "micro_batches"),
    ],
)
def test_a_difference_is_named_beside_compacted_and_dropped_rows(
    kept: Settings, owner: psycopg.Connection, spoil: str, table: str
) -> None:
    [(new,)] = rows(kept, 'select max("offset") from traffic.raw_events where partition = 0')
    assert verify(kept, deep=False).holds
    owner.execute(spoil.format(new=new))  # pyright: ignore[reportArgumentType]
    report = verify(kept, deep=False)
    assert table in {finding.table for finding in report.findings}
