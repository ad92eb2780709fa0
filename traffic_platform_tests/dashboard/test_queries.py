"""Queries of the dashboard, over rows that real ingest runs stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from traffic_platform.ingest.drain import run_ingest
from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform.statements import statement
from traffic_platform_tests.integration.once import ONCE, event

NEXT_DAY = 24 * 60  # minutes


def query(settings: Settings, name: str, **parameters: object) -> list[Any]:
    """Return the rows of a statement of sql/dashboard, as the reading role."""
    with (
        psycopg.connect(settings.endpoints().read_url) as connection,
        connection.cursor(row_factory=namedtuple_row) as cursor,
    ):
        return cursor.execute(statement(f"dashboard/{name}"), parameters).fetchall()


def test_runs_of_a_day_show_the_messages_of_that_day(
    settings: Settings,
    owner: psycopg.Connection,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    settings = settings.model_copy(update={"publish": False})
    make_topic(partitions=1)
    messages = {
        "both": [event("a", 0), event("a", 1), event("a", NEXT_DAY), b"no event"],
        "next": [event("a", NEXT_DAY + 1)],
    }
    for run_id, values in messages.items():
        produce(values)
        topics = [settings.raw_topic]
        run_ingest(settings, topics, limits=ONCE, run_id=run_id, stop=lambda: False)

    def runs(day: str) -> dict[str, tuple[int, int, bool]]:
        found = query(settings, "day/runs", date=day)
        return {run.run_id: (run.messages, run.events, run.shared) for run in found}

    assert runs("2025-10-04") == {"both": (2, 2, False)}
    assert runs("2025-10-05") == {"next": (1, 1, False), "both": (1, 1, False)}
    today = datetime.now(UTC).date()
    assert runs(today.isoformat()) == {"both": (1, 0, False)}
    owner.execute(
        "update traffic.micro_batches"
        " set committed_at = date_trunc('hour', now(), 'UTC') - interval '3 days'"
    )
    assert compact_audit(owner, settings, datetime.now(UTC)).into == 1
    assert runs("2025-10-04") == {"both": (2, 2, True), "next": (2, 2, True)}


def test_a_uuid_is_found_by_its_start(settings: Settings) -> None:
    sensors = {
        "1345": UUID(int=1),
        "begins": UUID("1345abcd-0000-5000-8000-000000000000"),
        "ends": UUID("abcd0000-0000-5000-8000-000000001345"),
    }
    store_sensors(settings, [SensorRecord(uuid, name, {}) for name, uuid in sensors.items()])

    def found(text: str) -> list[str]:
        return [each.external_id for each in query(settings, "sensor/search", text=text, limit=9)]

    assert found("1345") == ["1345", "begins"]
    assert found("134") == ["1345"]
    assert found("1345ABCD-0000-5000-8000-000000000000") == ["begins"]
    assert found("_345") == []
