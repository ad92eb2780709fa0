"""Metrics of a real database, parsed like Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from traffic_platform.api.app import create_app
from traffic_platform.api.metrics import add_metrics, pipeline_metrics
from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
OLD = datetime(2026, 1, 1, 12, tzinfo=UTC)
COUNTS = [
    "delivered",
    "raw",
    "processed",
    "quarantined",
    "echoes",
    "inserted",
    "updated",
    "unchanged",
    "superseded",
]


@pytest.fixture
def served(postgres: PostgresServer, database: str) -> Settings:
    """Settings for the test's database."""
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
        read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
    )


@pytest.fixture
def scraped(served: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client whose scrapes always read the database, two audit rows at a time."""
    monkeypatch.setattr(add_metrics, "_KEEP_SECONDS", 0)
    monkeypatch.setattr(pipeline_metrics, "_ROWS_AT_A_TIME", 2)
    with TestClient(create_app(served), base_url="http://127.0.0.1") as client:
        yield client


def scrape(client: TestClient) -> dict[str, float]:
    """Return each sample by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        " ".join(
            (sample.name, *(sample.labels[name] for name in sorted(sample.labels)))
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def add_batch(
    owner: psycopg.Connection, number: int, first: int, kind: str = "ingest", **counts: int
) -> None:
    values = [counts.get(name, 0) for name in COUNTS]
    length = counts.get("delivered", 0)
    owner.execute(
        "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset,"
        f" next_offset, {', '.join(COUNTS)}, rules_version, kind, committed_at)"  # pyright: ignore[reportArgumentType]
        f" values (%s, 1, 0, %s, %s, {', '.join(['%s'] * len(COUNTS))}, 'r1', %s, %s)",
        [number, first, first + length, *values, kind, OLD + timedelta(minutes=number)],
    )


def test_counters_follow_the_audit_and_never_fall_when_it_is_compacted(
    scraped: TestClient, owner: psycopg.Connection, served: Settings
) -> None:
    empty = scrape(scraped)
    assert empty["traffic_database_up"] == 1
    assert not [name for name in empty if name.startswith("traffic_messages")]
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('t', 'i', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset,"
        " last_seen_end, updated_at) values (1, 0, 't', 0, 60, 75, %s)", [OLD],
    )  # fmt: skip
    read = {"processed": 7, "inserted": 4, "updated": 1, "unchanged": 1, "superseded": 1}
    for number in range(5):
        counts = {"delivered": 10, "raw": 9, "quarantined": 2, "echoes": 1, **read}
        add_batch(owner, number + 1, 10 * number, **counts)
    first = scrape(scraped)
    assert first["traffic_messages_total processed t"] == 35
    assert first["traffic_messages_total quarantined t"] == 10
    assert first["traffic_messages_total echo t"] == 5
    assert first["traffic_readings_total inserted t"] == 20
    assert first["traffic_batches_total t"] == 5
    assert first["traffic_ingest_lag_messages 0 t"] == 15
    assert first["traffic_newest_commit_timestamp_seconds"] == OLD.timestamp()
    assert first["traffic_quarantine_waiting_messages t"] == 10
    assert "traffic_newest_readings_timestamp_seconds" not in first
    # Reprocessing resolves three messages. The counts of ingest runs stay.
    add_batch(owner, 6, 0, kind="reprocess", processed=3, quarantined=-3, inserted=3)
    # Compaction merges a batch that no scrape has counted with those that were counted.
    add_batch(owner, 7, 50, delivered=10, raw=10, processed=10, inserted=10)
    owner.execute("update traffic.micro_batches set batch_id = 100 where kind = 'reprocess'")
    compacted = compact_audit(owner, served, OLD + timedelta(days=3))
    assert (compacted.rows, compacted.into) == (6, 1)
    second = scrape(scraped)
    assert second["traffic_messages_total processed t"] == 45
    assert second["traffic_batches_total t"] == 6
    assert second["traffic_quarantine_waiting_messages t"] == 7
    assert scrape(scraped)["traffic_messages_total processed t"] == 45


def test_requests_are_counted_by_the_template_of_their_route_and_every_name_is_documented(
    scraped: TestClient, owner: psycopg.Connection
) -> None:
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('t', 'i', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)"
        " values (1, 0, 't', 0, 1)"
    )
    owner.execute(
        "insert into traffic.readings_5min (sensor_id, bucket, samples, with_volume, sum_volume,"
        " sum_q, sum_qv, with_occupancy, sum_occupancy, good, good_share, observed)"
        " values (gen_random_uuid(), %s, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0)", [OLD],
    )  # fmt: skip
    for path in ("/health/live", "/nowhere/1", "/nowhere/2"):
        scraped.get(path)
    scraped.get("/health/live", headers={"Host": "x.example"})
    scraped.get("/docs", headers={"Host": "x.example"})
    scraped.request("BREW", "/health/live")
    found = scrape(scraped)
    count = "traffic_api_request_duration_seconds_count"
    assert found[f"{count} GET /health/live 200"] == 2
    assert found[f"{count} GET none 404"] == 2
    assert found[f"{count} GET none 421"] == 1
    assert found[f"{count} other /health/live 405"] == 1
    assert found["traffic_newest_readings_timestamp_seconds"] == OLD.timestamp()
    documented = DOCUMENT.read_text()
    scraped_again = scraped.get("/metrics").text
    for family in text_string_to_metric_families(scraped_again):
        if family.name.startswith("traffic_") and not family.name.endswith("_created"):
            name = family.name + ("_total" if family.type == "counter" else "")
            assert f"`{name}`" in documented, name


def test_request_metrics_are_served_during_a_database_outage(
    scraped: TestClient, owner: psycopg.Connection, database: str
) -> None:
    assert scrape(scraped)["traffic_database_up"] == 1
    owner.execute("alter table traffic.kafka_offsets rename to kafka_offsets_away")
    found = scrape(scraped)
    assert found["traffic_database_up"] == 0
    assert found["traffic_api_request_duration_seconds_count GET /metrics 200"] == 1
