"""Backfills with a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.quality.checks import checks_named
from traffic_platform.quality.run import evaluate_checks
from traffic_platform.reprocess import (
    BackfillReport,
    DateReport,
    backfill_dates,
    reprocess_rejected,
)
from traffic_platform.settings import Settings
from traffic_platform.verify import VerifyReport, verify
from traffic_platform_tests.integration.once import drain, rows

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

FIRST = date(2025, 6, 30)
DATES = [FIRST + timedelta(days=number) for number in range(3)]
ZONE = "America/Los_Angeles"
TABLES = ("raw_events", "processed_events", "traffic_readings", "quarantined_events")


def event(sensor: str, timestamp: str, speed: float | None = 50.0) -> bytes:
    """Return a flat event."""
    return json.dumps({"sensor_id": sensor, "timestamp": timestamp, "speed": speed}).encode()


def feed(count: int = 600) -> list[bytes]:
    """Return three days of seven sensors: valid events, repeats, naive times, invalid messages."""
    chance = random.Random(7)
    start = datetime(2025, 6, 30, tzinfo=UTC)
    messages: list[bytes] = []
    for number in range(count):
        time = start + timedelta(minutes=chance.randrange(3 * 24 * 60))
        kind = chance.random()
        sensor, speed = f"s{number % 7}", float(chance.randrange(20, 80))
        if kind < 0.7:
            messages.append(event(sensor, time.isoformat(), speed))
        elif kind < 0.8 and messages:
            messages.append(chance.choice(messages))
        elif kind < 0.95:
            messages.append(event(sensor, time.replace(tzinfo=None).isoformat(), speed))
        else:
            messages.append(event(sensor, time.isoformat(), None))
    return messages


def fill(settings: Settings, make_topic: MakeTopic, produce: Produce, **config: Any) -> None:
    """Send three days of messages and ingest them."""
    make_topic(partitions=2, **config)
    produce(feed())
    drain(settings)


def assert_holds(settings: Settings) -> VerifyReport:
    """Assert that `traffic verify --deep` finds no difference, and return its report."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    return report


def change(settings: Settings, statement: str) -> int:
    """Change rows by hand as the owner, and return their number."""
    with psycopg.connect(settings.endpoints().owner_url) as connection:
        return connection.execute(statement).rowcount  # pyright: ignore[reportArgumentType]


def everything(settings: Settings, columns: str = "t::text") -> dict[str, list[Any]]:
    """Return all rows of the event tables."""
    return {
        name: rows(settings, f"select {columns} from traffic.{name} t order by 1")
        for name in TABLES
    }


def total(report: BackfillReport, name: str) -> int:
    """Return the sum of a figure over all dates."""
    return sum(getattr(day, name) for day in report.dates)


def test_where_nothing_differs_nothing_is_written(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    before = everything(settings, "t.xmin::text || t.ctid::text || t::text")
    batches = rows(settings, "select xmin::text, * from traffic.micro_batches order by 1, 2")
    report = backfill_dates(settings, DATES)
    assert report.changes == 0
    assert report.messages_decoded >= 600
    assert everything(settings, "t.xmin::text || t.ctid::text || t::text") == before
    assert (
        rows(settings, "select xmin::text, * from traffic.micro_batches order by 1, 2") == batches
    )
    assert_holds(settings)


def test_readings_deleted_and_altered_by_hand_are_restored_and_counted(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    columns = '(sensor_id, timestamp, speed, volume, topic_no, partition, "offset")::text'
    before = rows(settings, f"select {columns} from traffic.traffic_readings order by 1")
    of_date = "where (timestamp at time zone 'UTC')::date = '2025-07-01'"
    keys = f"(select sensor_id, timestamp from traffic.traffic_readings {of_date} order by 1, 2"
    deleted = change(
        settings,
        f"delete from traffic.traffic_readings where (sensor_id, timestamp) in {keys} limit 30)",
    )
    altered = change(
        settings,
        "update traffic.traffic_readings set speed = speed + 1"
        f" where (sensor_id, timestamp) in {keys} limit 20)",
    )
    assert (deleted, altered) == (30, 20)
    report = backfill_dates(settings, DATES)
    assert [day.changes for day in report.dates] == [0, 50, 0]
    assert (total(report, "readings_added"), total(report, "readings_changed")) == (30, 20)
    assert rows(settings, f"select {columns} from traffic.traffic_readings order by 1") == before
    assert_holds(settings)
    assert backfill_dates(settings, DATES).changes == 0


def test_events_damaged_by_hand_are_restored(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    before = everything(settings)
    change(
        settings,
        'delete from traffic.processed_events where "offset" between 20 and 39',
    )
    change(
        settings,
        "update traffic.processed_events set speed = 1, quality_flags = 3"
        ' where "offset" between 50 and 59',
    )
    change(settings, "delete from traffic.quarantined_events where reason = 'no_measures'")
    report = backfill_dates(settings, DATES)
    assert total(report, "events_added") > 0
    assert total(report, "events_changed") > 0
    after = everything(settings)
    assert after["processed_events"] == before["processed_events"]
    assert after["traffic_readings"] == before["traffic_readings"]
    assert after["quarantined_events"] == before["quarantined_events"]
    assert_holds(settings)


def test_a_setting_that_accepts_messages_stores_those_of_the_dates(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    changed = settings.model_copy(update={"naive_timezone": ZONE})
    naive = (
        "select count(*) from traffic.quarantined_events where reason = 'timestamp_without_zone'"
    )
    waiting = rows(settings, naive + " and resolved_at is null")[0][0]
    assert waiting > 50
    plan = backfill_dates(changed, DATES, dry_run=True)
    assert rows(settings, naive + " and resolved_at is null") == [(waiting,)]
    report = backfill_dates(changed, [*DATES, FIRST + timedelta(days=3)])
    assert total(report, "entered") == waiting
    assert total(plan, "entered") <= waiting
    assert [(day.date, day.entered) for day in plan.dates] == [
        (day.date, day.entered) for day in report.dates[:3]
    ]
    assert rows(settings, naive + " and resolved_at is null") == [(0,)]
    assert_holds(changed)
    assert backfill_dates(changed, [*DATES, FIRST + timedelta(days=3)]).changes == 0
    # And out again, because the old settings reject the time.
    back = backfill_dates(settings, [*DATES, FIRST + timedelta(days=3)])
    assert total(back, "left") == waiting
    assert_holds(settings)
    assert rows(settings, naive + " and resolved_at is null") == [(waiting,)]
    again = backfill_dates(changed, [*DATES, FIRST + timedelta(days=3)])
    assert total(again, "entered") == waiting
    assert_holds(changed)
    # One date alone, although the batches of its events name others.
    alone = backfill_dates(settings, [DATES[1]])
    assert total(alone, "left") == [day.entered for day in again.dates][1] > 0
    assert_holds(settings)
    # And in by reprocessing, which does not number them a second time.
    numbered = rows(settings, "select count(*) from traffic.replayed_events")
    assert reprocess_rejected(changed, QuarantineFilter()).replayed == total(alone, "left")
    assert rows(settings, "select count(*) from traffic.replayed_events") == numbered
    assert_holds(changed)


def test_an_event_that_moves_to_another_date_takes_its_reading_with_it(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    eastern = settings.model_copy(update={"naive_timezone": "Etc/GMT+1"})
    western = settings.model_copy(update={"naive_timezone": "Etc/GMT+9"})
    produce(
        [
            event("s1", "2025-06-30T20:00:00", 10.0),  # 21:00 UTC, then 05:00 of the next day
            event("s1", "2025-07-01T05:00:00Z", 20.0),  # where it meets this one
            event("s1", "2025-06-30T21:00:00Z", 30.0),  # and this one stays alone
            event("s2", "2025-06-30T20:00:00", 40.0),
            event("s3", "2025-06-30T02:00:00", 50.0),  # keeps its date
        ]
    )
    drain(eastern)
    report = backfill_dates(western, [FIRST])
    assert report.dates[0].moved == 2
    speeds = "select s.external_id, to_char(timestamp at time zone 'UTC', 'DD HH24'), speed"
    found = rows(
        settings,
        f"{speeds} from traffic.traffic_readings r join traffic.sensors s using (sensor_id)"
        " order by 1, 2",
    )
    assert found == [
        ("s1", "01 05", 20.0),
        ("s1", "30 21", 30.0),
        ("s2", "01 05", 40.0),
        ("s3", "30 11", 50.0),
    ]
    assert_holds(western)
    assert backfill_dates(western, [FIRST, FIRST + timedelta(days=1)]).changes == 0


def test_a_lost_reading_of_an_event_that_moved_is_found_though_its_batch_knows_another_date(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    western = settings.model_copy(update={"naive_timezone": "Etc/GMT+9"})
    produce([event("s1", "2025-06-30T20:00:00")])
    drain(settings.model_copy(update={"naive_timezone": "Etc/GMT+1"}))
    assert backfill_dates(western, [FIRST]).dates[0].moved == 1
    assert change(settings, "delete from traffic.traffic_readings") == 1
    for day, missing in ((FIRST, 0), (FIRST + timedelta(days=1), 1)):
        [result] = evaluate_checks(western, checks_named(["every_event_has_its_reading"]), day)
        assert result.outcome.numbers == {"readings missing": missing}


def test_readings_alone_are_backfilled_from_the_stored_events(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    change(settings, "delete from traffic.traffic_readings where speed < 30")
    changed = settings.model_copy(update={"naive_timezone": ZONE})
    seen: list[DateReport] = []
    change(settings, 'delete from traffic.raw_events where "offset" between 100 and 110')
    tables = {"raw_events", "traffic_readings"}
    report = backfill_dates(changed, DATES, tables=tables, done=seen.append)  # pyright: ignore
    assert seen == report.dates
    assert total(report, "raw_restored") > 0
    recorded = rows(settings, "select sum(raw_restored), sum(readings_added) from traffic.rebuilds")
    assert recorded == [(total(report, "raw_restored"), total(report, "readings_added"))]
    assert total(report, "entered") == 0
    assert total(report, "readings_added") > 0
    assert_holds(settings)


def test_missing_raw_rows_are_restored_from_kafka_with_their_arrival(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    before = everything(settings)
    deleted = change(settings, 'delete from traffic.raw_events where "offset" between 100 and 140')
    assert deleted >= 41  # at least those of one partition
    report = backfill_dates(settings, DATES, tables={"raw_events"})
    assert total(report, "raw_restored") > 0
    assert everything(settings) == before
    assert_holds(settings)
    assert backfill_dates(settings, DATES).changes == 0


def test_rows_whose_messages_neither_raw_nor_kafka_holds_stay_unchanged(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    fill(settings, make_topic, produce)
    change(settings, "truncate traffic.raw_events")
    before = everything(settings)
    changed = settings.model_copy(update={"naive_timezone": ZONE})
    report = backfill_dates(changed, DATES, tables={"processed_events", "traffic_readings"})
    after = everything(settings)
    assert total(report, "entered") > 0  # quarantine keeps its own bytes
    assert set(before["traffic_readings"]) <= set(after["traffic_readings"])
    assert set(before["processed_events"]) <= set(after["processed_events"])
