"""Reprocessing of rejected messages with a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from traffic_platform.event_tables.write import BACKFILL_LOCK
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import ReprocessReport, reprocess_rejected
from traffic_platform.settings import Settings, SettingsError
from traffic_platform.verify import VerifyReport, verify
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.integration.once import step_our_clock

MakeTopic = Callable[..., str]
Produce = Callable[..., None]

ONCE = RunLimits(seconds=60, idle_seconds=30, until_caught_up=True, outage_seconds=20)
ZONE = "America/Los_Angeles"
EVERYTHING = QuarantineFilter()
TABLES = [
    "sensors",
    "kafka_offsets",
    "micro_batches",
    "raw_events",
    "processed_events",
    "traffic_readings",
    "quarantined_events",
    "replayed_events",
]


def event(sensor: str, timestamp: str, speed: float | None = 50.0) -> bytes:
    """Return a flat event."""
    return json.dumps({"sensor_id": sensor, "timestamp": timestamp, "speed": speed}).encode()


def drain(settings: Settings, *topics: str) -> None:
    """Run ingest until it has caught up."""
    run_ingest(
        settings,
        topics or [settings.raw_topic],
        limits=ONCE,
        run_id=None,
        stop=lambda: False,
    )


def zoned(settings: Settings, **others: Any) -> Settings:
    """Return settings with the time zone of the feed."""
    return settings.model_copy(update={"naive_timezone": ZONE, **others})


def rows(settings: Settings, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with psycopg.connect(settings.endpoints().read_url, options="-c TimeZone=UTC") as connection:
        return connection.execute(query, parameters).fetchall()  # pyright: ignore[reportArgumentType]


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, and the names of all partitions."""
    tables = {
        name: rows(settings, f"select t::text from traffic.{name} t order by 1") for name in TABLES
    }
    return tables | {
        "partitions": rows(settings, "select inhrelid::regclass::text from pg_inherits order by 1")
    }


def assert_holds(settings: Settings) -> VerifyReport:
    """Assert that a deep verification with these settings finds no difference."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    return report


def unresolved(settings: Settings) -> dict[str, int]:
    """Return the number of unresolved messages in quarantine by reason."""
    return dict(
        rows(
            settings,
            "select reason, count(*) from traffic.quarantined_events where resolved_at is null"
            " group by reason",
        )
    )


def mixed_feed(count: int) -> list[bytes]:
    """Return valid events, naive times, ambiguous and nonexistent local times, invalid messages."""
    chance = random.Random(5)
    start = datetime(2025, 6, 30, 12)
    messages: list[bytes] = []
    for number in range(count):
        sensor, local = f"s{number % 7}", start + timedelta(minutes=number // 7)
        kind = chance.random()
        if kind < 0.4:
            messages.append(event(sensor, local.replace(tzinfo=UTC).isoformat(), number % 80))
        elif kind < 0.8:
            messages.append(event(sensor, local.isoformat(), number % 80))
        elif kind < 0.85:
            messages.append(event(sensor, local.isoformat()[:10] + " 25:00"))
        elif kind < 0.9:
            messages.append(event(sensor, f"2024-11-03T01:{number % 60:02}:00"))  # twice
        elif kind < 0.95:
            messages.append(event(sensor, f"2024-03-10T02:{number % 60:02}:00"))  # never
        else:
            messages.append(event(sensor, local.isoformat(), None))
    return messages


def naive_times(messages: Sequence[bytes]) -> Counter[tuple[str, datetime]]:
    """Count the messages by sensor and time whose naive time is valid and unambiguous."""
    found: Counter[tuple[str, datetime]] = Counter()
    for message in messages:
        body = json.loads(message)
        text = body["timestamp"]
        if body["speed"] is None or "+" in text or " 25" in text or text.startswith("2024"):
            continue
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))
        found[body["sensor_id"], local.astimezone(UTC)] += 1
    return found


def test_another_time_zone_of_dates_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="TRAFFIC_TIMEZONE"):
        reprocess_rejected(settings.model_copy(update={"timezone": ZONE}), EVERYTHING)


def test_messages_that_are_rejected_again_stay_unchanged(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([b"not json", None, event("a", "2025-06-30T12:00:00")])
    drain(settings)
    before = everything(settings)
    report = reprocess_rejected(settings, EVERYTHING)
    assert (report.examined, report.replayed, report.remaining, report.rejudged) == (3, 0, 3, 0)
    assert everything(settings) == before


@pytest.mark.parametrize("chunk", [20_000, 37])
def test_a_naive_zone_recovers_every_message_without_one(
    settings: Settings, make_topic: MakeTopic, produce: Produce, chunk: int
) -> None:
    make_topic()
    messages = mixed_feed(600)
    produce(messages)
    drain(settings)
    naive = naive_times(messages)
    assert unresolved(settings)["timestamp_without_zone"] > naive.total() > 200
    assert_holds(settings)

    report = reprocess_rejected(zoned(settings, batch_messages=chunk), EVERYTHING)
    assert report.replayed == naive.total()
    assert report.replayed_by_reason == {"timestamp_without_zone": naive.total()}
    left = unresolved(settings)
    assert left == report.remaining_by_reason
    assert set(left) == {
        "ambiguous_local_time",
        "nonexistent_local_time",
        "invalid_timestamp",
        "no_measures",
    }
    stored = rows(
        settings,
        'select s.external_id, p."timestamp", count(*) from traffic.processed_events p'
        ' join traffic.quarantined_events q using (topic_no, partition, "offset")'
        " join traffic.sensors s using (sensor_id)"
        " where q.resolution = 'replayed' group by 1, 2",
    )
    assert {(sensor, when): number for sensor, when, number in stored} == naive
    assert_dates_add_up(settings)
    # Under the ingest run's rules the reprocessed events are stale; under the new rules, the rest.
    for rules in (zoned(settings), settings):
        assert len(assert_holds(rules).stale) == 1
    assert reprocess_rejected(zoned(settings), EVERYTHING).replayed == 0
    assert_holds(zoned(settings))


def assert_dates_add_up(settings: Settings) -> None:
    """Assert that the audit rows of ingest and reprocessing add up to the rows of each date."""
    counted = rows(
        settings,
        "select key::date, sum((value ->> 'raw')::int), sum((value ->> 'processed')::int),"
        " sum((value ->> 'quarantined')::int)"
        " from traffic.micro_batches, jsonb_each(date_counts) group by 1",
    )
    events: Counter[date] = Counter()
    for (when,) in rows(settings, 'select "timestamp" from traffic.processed_events'):
        events[when.date()] += 1
    waiting: Counter[date] = Counter()
    for (day,) in rows(
        settings, "select event_date from traffic.quarantined_events where resolved_at is null"
    ):
        waiting[day] += 1
    expected = {
        day: (events[day] + waiting[day], events[day], waiting[day]) for day in events | waiting
    }
    zero = (0, 0, 0)
    assert {day: tuple(sums) for day, *sums in counted if tuple(sums) != zero} == expected


def test_audit_rows_of_reprocessing_hold_signed_differences(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=2)
    produce([b"not json", event("a", "2025-06-30T20:00:00")], partition=0)
    produce([event("a", f"2025-07-01T12:0{minute}:00") for minute in (1, 2, 1)], partition=1)
    drain(settings)
    report = reprocess_rejected(zoned(settings), EVERYTHING)
    assert (report.inserted, report.updated, report.unchanged, report.superseded) == (3, 0, 0, 1)
    audits = rows(
        settings,
        "select partition, first_offset, next_offset, delivered, raw, processed, quarantined,"
        " inserted, updated, superseded, event_dates, date_counts, rules_version"
        " from traffic.micro_batches where kind = 'reprocess' order by partition",
    )
    today = rows(settings, "select distinct event_date from traffic.quarantined_events")
    assert len(today) == 1
    (arrived,) = today[0]
    version = report.rules_version
    assert [audit[:10] for audit in audits] == [
        (0, 1, 2, 0, 0, 1, -1, 1, 0, 0),
        (1, 0, 3, 0, 0, 3, -3, 2, 0, 1),
    ]
    for audit, day, number in zip(audits, (date(2025, 7, 1),) * 2, (1, 3), strict=True):
        assert audit[10:] == (
            [day, arrived],
            {
                arrived.isoformat(): {"raw": -number, "processed": 0, "quarantined": -number},
                day.isoformat(): {"raw": number, "processed": number, "quarantined": 0},
            },
            version,
        )
    assert rows(
        settings, 'select partition, replay_no, "offset" from traffic.replayed_events order by 1, 2'
    ) == [(0, 1, 1), (1, 1, 0), (1, 2, 1), (1, 3, 2)]


def test_numbers_go_on_and_only_events_of_the_raw_topic_have_one(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    make_topic(settings.events_topic, partitions=1)
    for minute in range(2):
        produce([event("a", f"2025-06-30T12:0{minute}:00")], partition=0)
        produce([event("b", f"2025-06-30T12:0{minute}:00")], settings.events_topic, partition=0)
        drain(settings, settings.raw_topic, settings.events_topic)
        assert reprocess_rejected(zoned(settings), EVERYTHING).replayed == 2
    assert rows(
        settings,
        'select t.name, r.replay_no, r."offset" from traffic.replayed_events r'
        " join traffic.topics t using (topic_no) order by 2",
    ) == [(settings.raw_topic, 1, 0), (settings.raw_topic, 2, 1)]
    assert_holds(zoned(settings))


def test_a_dry_run_reports_the_result_and_changes_nothing(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=2)
    produce(mixed_feed(100))
    drain(settings)
    before = everything(settings)
    planned = reprocess_rejected(zoned(settings), EVERYTHING, dry_run=True)
    assert everything(settings) == before
    done = reprocess_rejected(zoned(settings), EVERYTHING)
    for name in (
        "examined",
        "replayed",
        "remaining",
        "rejudged",
        "replayed_by_reason",
        "remaining_by_reason",
        "dates",
    ):
        assert getattr(planned, name) == getattr(done, name), name
    assert done.replayed > 0
    assert (planned.batches, planned.inserted) == (0, 0)


def test_only_messages_of_the_filter_are_reprocessed(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", "2025-06-30T12:00:00"), event("b", "2025-06-30T12:00:00"), b"{"])
    produce([event("c", "2025-06-30T12:00:00")], key=b"keyed")
    drain(settings)
    today = datetime.now(UTC).date()

    def dry_run(**only: Any) -> ReprocessReport:
        return reprocess_rejected(zoned(settings), QuarantineFilter(**only), dry_run=True)

    assert dry_run(reason="malformed_json").examined == 1
    assert dry_run(reason="timestamp_without_zone").replayed == 3
    assert dry_run(sensor="a").replayed == 1
    assert dry_run(sensor="keyed").replayed == 1
    assert dry_run(day=today, sensor="b").replayed == 1
    assert dry_run(day=today - timedelta(days=2)).examined == 0
    assert reprocess_rejected(zoned(settings), QuarantineFilter(sensor="b")).replayed == 1
    assert dry_run(sensor="b").examined == 0
    assert unresolved(settings) == {"timestamp_without_zone": 2, "malformed_json": 1}
    assert_holds(zoned(settings))


def test_a_chunk_is_bounded_by_bytes(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", f"2025-06-30T12:00:0{n}") + b" " * 5000 * (n == 1) for n in range(4)])
    drain(settings)
    chunks: list[int] = []
    small = zoned(settings, batch_bytes=1024)
    reprocess_rejected(small, EVERYTHING, progress=chunks.append)
    assert chunks == [1, 1, 2]
    assert_holds(zoned(settings))


def test_an_older_event_than_the_stored_one_loses_and_a_later_one_wins(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", "2025-06-30T12:00:00", 10.0)])
    produce([event("a", "2025-06-30T19:00:00Z", 20.0), event("a", "2025-06-30T20:00:00Z", 30.0)])
    produce([event("a", "2025-06-30T13:00:00", 40.0)])
    drain(settings)
    report = reprocess_rejected(zoned(settings), EVERYTHING)
    assert (report.replayed, report.inserted, report.updated, report.superseded) == (2, 0, 1, 1)
    assert rows(
        settings,
        'select speed, "offset", created_at = updated_at from traffic.traffic_readings'
        ' order by "timestamp"',
    ) == [(20.0, 1, True), (40.0, 3, False)]
    assert_holds(zoned(settings))


def test_the_limit_of_the_future_counts_from_the_arrival_of_the_message(
    settings: Settings, make_topic: MakeTopic, produce: Produce, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_topic(partitions=1)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = [now + timedelta(minutes=minute) for minute in (-40, -50)]
    produce([event("a", time.isoformat()) for time in times])
    step_our_clock(monkeypatch, -46 * 60)
    drain(settings)
    report = reprocess_rejected(zoned(settings, naive_timezone="UTC"), EVERYTHING)
    assert report.replayed == 1
    assert report.remaining_by_reason == {"timestamp_in_future": 1}
    assert_holds(zoned(settings, naive_timezone="UTC"))


def test_remaining_messages_show_the_rules_that_last_rejected_them(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", "2024-11-03T01:30:00")])
    drain(settings)
    report = reprocess_rejected(zoned(settings), EVERYTHING)
    assert (report.replayed, report.rejudged) == (0, 1)
    ((reason, version),) = rows(
        settings, "select reason, rules_version from traffic.quarantined_events"
    )
    assert (reason, version) == ("ambiguous_local_time", report.rules_version)
    assert rows(settings, "select kind from traffic.micro_batches") == [("ingest",)]
    assert not assert_holds(zoned(settings)).stale
    stale = assert_holds(settings)
    assert [(item.rules_version, item.messages) for item in stale.stale] == [(version, 1)]
    assert stale.stale_differing == 1
    with psycopg.connect(settings.endpoints().owner_url) as owner:
        owner.execute("update traffic.quarantined_events set detail = 'altered'")
    assert [f.table for f in verify(zoned(settings), deep=True).findings] == ["quarantined_events"]


def test_two_reprocessings_at_once_store_every_message_once(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic()
    messages = mixed_feed(600)
    produce(messages)
    drain(settings)
    small = zoned(settings, batch_messages=20)
    together = threading.Barrier(2)

    def reprocess(_number: int) -> ReprocessReport:
        together.wait()
        return reprocess_rejected(small, EVERYTHING)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(reprocess, range(2)))
    assert sum(report.replayed for report in reports) == naive_times(messages).total()
    assert_holds(zoned(settings))


def test_a_reprocessing_overtaken_by_another_does_the_rest_of_its_chunk(
    settings: Settings, postgres: PostgresServer, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", f"2025-06-30T12:0{minute}:00") for minute in range(3)])
    produce([event("b", "2025-06-30T12:00:00")])
    drain(settings)
    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(settings.endpoints().ingest_url) as ingest_run,
        postgres.superuser() as superuser,
    ):
        # Both have read their messages and wait for an ingest run. The first that waits goes first.
        ingest_run.execute("select pg_advisory_xact_lock_shared(%s)", (BACKFILL_LOCK,))
        first = pool.submit(reprocess_rejected, zoned(settings), QuarantineFilter(sensor="a"))
        wait_for_waiting(superuser, settings, 1)
        second = pool.submit(reprocess_rejected, zoned(settings), EVERYTHING)
        wait_for_waiting(superuser, settings, 2)
        ingest_run.rollback()
        assert (first.result().replayed, second.result().replayed) == (3, 1)
    assert_holds(zoned(settings))


def wait_for_waiting(superuser: psycopg.Connection, settings: Settings, number: int) -> None:
    """Return when this many reprocessings wait for a lock."""
    query = (
        "select count(*) from pg_stat_activity where datname = %s"
        " and application_name = 'traffic-reprocess' and wait_event_type = 'Lock'"
    )
    database = settings.endpoints().owner_url.rpartition("/")[2]
    wait_until(
        lambda: superuser.execute(query, (database,)).fetchone() == (number,),
        f"{number} reprocessings wait",
    )


def test_messages_that_arrive_meanwhile_are_left_to_the_next_reprocessing(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", "2025-06-30T12:00:00")])
    drain(settings)

    def feed(_done: int) -> None:
        produce([event("a", "2025-06-30T13:00:00")])
        drain(settings)

    small = zoned(settings, batch_messages=1)
    assert reprocess_rejected(small, EVERYTHING, progress=feed).replayed == 1
    assert reprocess_rejected(small, EVERYTHING).replayed == 1
    assert_holds(zoned(settings))


def test_reprocessing_stops_between_chunks_and_continues_later(
    settings: Settings, make_topic: MakeTopic, produce: Produce
) -> None:
    make_topic(partitions=1)
    produce([event("a", f"2025-06-30T12:0{minute}:00") for minute in range(5)])
    drain(settings)
    asked = iter([False, False, True])
    small = zoned(settings, batch_messages=2)
    assert reprocess_rejected(small, EVERYTHING, stop=lambda: next(asked)).replayed == 4
    assert_holds(zoned(settings))
    assert reprocess_rejected(small, EVERYTHING).replayed == 1
    assert_holds(zoned(settings))
