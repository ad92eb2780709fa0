"""A platform that accepts only known sensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.sensors.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.ingest_runs import RunProcess, wait_until
from traffic_platform_tests.integration.verify_sample import flat

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
UNKNOWN = QuarantineFilter(reason="unknown_sensor")


@pytest.fixture
def strict(settings: Settings) -> Settings:
    """Settings that reject events of unknown sensors."""
    return settings.model_copy(update={"unknown_sensors": "quarantine"})


def drain(settings: Settings) -> None:
    """Run ingest until it has caught up."""
    run_ingest(settings, [settings.raw_topic], limits=ONCE, run_id=None, stop=lambda: False)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return connection.execute(query).fetchall()  # pyright: ignore[reportArgumentType]


def import_table(settings: Settings, folder: Path, *lines: str) -> None:
    """Import a table of sensors, each line an external id and a name."""
    table = folder / "sensors.csv"
    table.write_text("\n".join(("external_id,name", *lines)) + "\n")
    import_sensors(settings, table)


def waiting(settings: Settings) -> int:
    """Return the number of messages that wait for reprocessing, by a verification that passes."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    assert not report.stale
    return report.waiting_for_replay


def test_events_of_unknown_sensors_are_quarantined_and_register_nothing(
    strict: Settings, make_topic: MakeTopic, produce: Produce, tmp_path: Path
) -> None:
    make_topic(partitions=2)
    import_table(strict, tmp_path, "a,A")
    produce([flat("a", 0, 50.0), flat("b", 0, 50.0), flat("c", 1, 50.0), b"{"])
    drain(strict)
    assert rows(strict, "select external_id from traffic.sensors") == [("a",)]
    assert rows(
        strict, "select reason, count(*) from traffic.quarantined_events group by 1 order by 1"
    ) == [("malformed_json", 1), ("unknown_sensor", 2)]
    assert waiting(strict) == 0
    assert reprocess_rejected(strict, UNKNOWN).replayed == 0


def test_they_are_stored_after_an_import_and_reprocessing(
    strict: Settings, make_topic: MakeTopic, produce: Produce, tmp_path: Path
) -> None:
    make_topic(partitions=2)
    produce([flat("b", minute, 50.0) for minute in range(5)] + [flat("c", 0, 50.0)])
    drain(strict)
    import_table(strict, tmp_path, "b,B")
    assert waiting(strict) == 5
    report = reprocess_rejected(strict, UNKNOWN)
    assert (report.replayed, report.remaining, report.inserted) == (5, 1, 5)
    assert waiting(strict) == 0
    assert rows(
        strict,
        "select s.external_id, s.name, count(*) from traffic.traffic_readings"
        " join traffic.sensors s using (sensor_id) group by 1, 2",
    ) == [("b", "B", 5)]


def test_an_import_that_moves_a_sensor_keeps_its_identity_and_its_readings(
    strict: Settings, make_topic: MakeTopic, produce: Produce, tmp_path: Path
) -> None:
    make_topic(partitions=1)
    import_table(strict, tmp_path, "a,Old")
    produce([flat("a", minute, 50.0) for minute in range(3)])
    drain(strict)
    kept = "select sensor_id, count(*) from traffic.traffic_readings group by 1"
    before = rows(strict, kept)
    import_table(strict, tmp_path, "a,New")
    assert rows(strict, kept) == before
    assert rows(strict, "select sensor_id, name from traffic.sensors") == [(before[0][0], "New")]
    assert waiting(strict) == 0


def test_reprocessing_under_the_policy_register_stores_all_of_them(
    strict: Settings, settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([flat("b", 0, 50.0)])
    drain(strict)
    assert reprocess_rejected(settings, UNKNOWN).replayed == 1
    assert rows(settings, "select external_id, origin from traffic.sensors") == [("b", "seen")]
    assert verify(settings, deep=True).holds


def test_a_live_run_learns_of_an_import_within_seconds(
    strict: Settings,
    environment: dict[str, str],
    make_topic: MakeTopic,
    produce: Produce,
    start_run: Callable[..., RunProcess],
    tmp_path: Path,
) -> None:
    make_topic(partitions=1)
    ingest_run = start_run(TRAFFIC_UNKNOWN_SENSORS="quarantine")
    minutes = iter(range(1000))
    events = "select count(*) from traffic.processed_events"

    def passes() -> bool:
        produce([flat("b", next(minutes), 50.0)])
        return rows(strict, events) != [(0,)]

    produce([flat("b", next(minutes), 50.0)])
    rejected = "select count(*) > 0 from traffic.quarantined_events where reason = 'unknown_sensor'"
    wait_until(lambda: rows(strict, rejected) == [(True,)], "the first event is rejected")
    import_table(strict, tmp_path, "b,B")
    wait_until(passes, "an event is accepted", seconds=15)
    ingest_run.end()
    drain(strict)
    rejected_since = waiting(strict)
    assert rejected_since >= 1
    assert reprocess_rejected(strict, UNKNOWN).replayed == rejected_since
    assert waiting(strict) == 0


def test_a_sensor_deleted_by_hand_is_unknown_again(
    strict: Settings,
    environment: dict[str, str],
    postgres: PostgresServer,
    make_topic: MakeTopic,
    produce: Produce,
    start_run: Callable[..., RunProcess],
    tmp_path: Path,
) -> None:
    make_topic(partitions=1)
    import_table(strict, tmp_path, "a,A")
    ingest_run = start_run(TRAFFIC_UNKNOWN_SENSORS="quarantine")
    produce([flat("a", 0, 50.0)])
    events = "select count(*) from traffic.processed_events"
    wait_until(lambda: rows(strict, events) == [(1,)], "the first event is accepted")
    database = strict.endpoints().owner_url.rpartition("/")[2]
    with psycopg.connect(postgres.service.url("postgres", database)) as superuser:
        superuser.execute("delete from traffic.traffic_readings")
        superuser.execute("delete from traffic.sensors")
    produce([flat("a", 1, 50.0)])
    rejected = "select count(*) from traffic.quarantined_events where reason = 'unknown_sensor'"
    wait_until(lambda: rows(strict, rejected) == [(1,)], "the second event is rejected")
    ingest_run.end()
    assert rows(strict, "select count(*) from traffic.sensors") == [(0,)]
