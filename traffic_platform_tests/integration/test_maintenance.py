"""Maintenance of old arrivals: compaction, dropped and kept partitions, and verification."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.errors import LockBusyError
from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.maintenance.maintain import MAINTENANCE_LOCK
from traffic_platform.maintenance.work_due import find_work
from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.retention.expired_partitions import Retention
from traffic_platform.rollups import recompute, roll_up_all
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.conftest import TEMPLATE, KafkaServer, PostgresServer
from traffic_platform_tests.integration.aged_stream import (
    TOPIC,
    database_of,
    fill,
    filled_platform,
    grow_older,
    import_sensors,
    send,
    with_database,
)
from traffic_platform_tests.integration.maintenance_tools import (
    count,
    dropped,
    keep,
    partitions,
    proof,
    sums,
)
from traffic_platform_tests.integration.once import drain, event, rows

NOVEMBER = 30 * 24 * 60  # minutes from an event in October
MONTHS = {"processed_events_202510", "processed_events_202511"}
READINGS = {"traffic_readings_202510", "traffic_readings_202511"}


@pytest.fixture
def platform(settings: Settings, make_topic: Callable[..., str]) -> Settings:
    """Two partitions, known sensors only, and nothing published."""
    make_topic(partitions=2, **TOPIC)
    return settings.model_copy(update={"unknown_sensors": "quarantine", "publish": False})


@pytest.fixture
def sending(platform: Settings, owner: psycopg.Connection) -> Settings:
    """The same platform with new messages of all kinds."""
    fill(platform, owner)
    return platform


@pytest.fixture(scope="module")
def filled_source(
    postgres: PostgresServer, kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The platform that tests of `filled` copy. They share its topic and send nothing."""
    with filled_platform(postgres, kafka, tmp_path_factory.mktemp("filled")) as (settings, owner):
        owner.close()
        yield settings


@pytest.fixture
def template(request: pytest.FixtureRequest) -> str:
    """Name of the database that a test's own is copied from."""
    if "filled" in request.fixturenames:
        return database_of(request.getfixturevalue("filled_source"))
    return TEMPLATE


@pytest.fixture
def filled(filled_source: Settings, settings: Settings) -> Settings:
    """A copy of a platform with new messages of all kinds."""
    return with_database(filled_source, settings)


def test_compacted_hours_keep_their_sums_and_are_verified(
    filled: Settings, owner: psycopg.Connection
) -> None:
    before, rows_before = sums(filled), count(filled, "micro_batches")
    grow_older(owner, timedelta(days=3))
    result = compact_audit(owner, filled, datetime.now(UTC))
    assert sums(filled) == before
    assert result.rows - result.into == rows_before - count(filled, "micro_batches") > 0
    report = proof(filled)
    assert report.by_sums.folded_batches == result.rows
    assert report.by_sums.folded_into == result.into
    assert compact_audit(owner, filled, datetime.now(UTC)).rows == 0


def test_each_hour_of_a_generation_is_one_row_unless_reprocessing_separates_it(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=3))
    compact_audit(owner, filled, datetime.now(UTC))
    hours = rows(
        filled,
        "select partition, date_trunc('hour', committed_at), count(*)"
        " from traffic.micro_batches where kind = 'ingest' group by 1, 2 order by 1, 2",
    )
    # Only the last hour of partition 1 was interrupted, by reprocessing.
    apart = [(partition, hour) for partition, hour, number in hours if number > 1]
    assert apart in ([], [hours[-1][:2]])
    assert max(number for _, _, number in hours) <= 2


def test_recent_hours_and_an_hour_that_is_not_over_stay_as_they_are(
    filled: Settings, owner: psycopg.Connection
) -> None:
    before = count(filled, "micro_batches")
    assert compact_audit(owner, filled, datetime.now(UTC)).rows == 0
    grow_older(owner, timedelta(days=2) - timedelta(hours=4))
    assert compact_audit(owner, filled, datetime.now(UTC)).rows == 0
    assert count(filled, "micro_batches") == before


def test_batches_of_different_rules_are_not_compacted_together(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=3))
    owner.execute(
        "update traffic.micro_batches set rules_version = 'old', run_id = 'r-' || first_offset"
        " where partition = 0 and first_offset < 10"
    )
    stale = verify(filled, deep=True).stale
    compact_audit(owner, filled, datetime.now(UTC))
    after = verify(filled, deep=True)
    assert after.holds
    assert [(s.rules_version, s.messages) for s in after.stale] == [
        (s.rules_version, s.messages) for s in stale
    ]
    runs = rows(
        filled,
        "select run_id, run_ids from traffic.micro_batches"
        " where rules_version = 'old' and batches > 1",
    )
    assert (None, ["r-0", "r-5"]) in runs


def test_a_compaction_in_small_steps_gives_the_same_rows(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=3))
    before = sums(filled)
    compact_audit(owner, filled, datetime.now(UTC), rows_at_a_time=3)
    assert sums(filled) == before
    assert rows(filled, "select count(*) from traffic.micro_batches where batches > 1") != [(0,)]
    proof(filled)


def test_the_compaction_covers_every_column_of_the_audit(filled: Settings) -> None:
    """Fail on a new column. Add it to sql/maintenance/compact_audit.sql and here."""
    found = rows(
        filled,
        "select string_agg(attname, ' ' order by attnum) from pg_attribute"
        " where attrelid = 'traffic.micro_batches'::regclass and attnum > 0 and not attisdropped",
    )
    assert found == [
        (
            "batch_id topic_no partition first_offset next_offset delivered raw processed"
            " quarantined echoes inserted updated unchanged event_dates date_counts rules_version"
            " run_id committed_at kind last_batch_id batches run_ids first_committed_at"
            " dropped_raw dropped_processed superseded order_floor",
        )
    ]


def test_old_arrivals_are_dropped_and_the_rest_is_verified(
    filled: Settings, owner: psycopg.Connection
) -> None:
    messages, events = count(filled, "raw_events"), count(filled, "processed_events")
    readings = count(filled, "traffic_readings")
    grow_older(owner, timedelta(days=40))
    report = keep(filled)
    assert {name.rpartition("_")[0] for name in dropped(report)} == {"raw_events"}
    proved = proof(filled)
    assert proved.by_sums.dropped == {"raw_events": messages}
    assert proved.rows == {"raw_events": 0, "traffic_readings": readings}

    grow_older(owner, timedelta(days=60))
    assert dropped(keep(filled)) == MONTHS
    proved = proof(filled)
    assert proved.by_sums.dropped == {"raw_events": messages, "processed_events": events}
    assert count(filled, "traffic_readings") == readings
    assert count(filled, "quarantined_events") > 0

    assert dropped(keep(filled.model_copy(update={"readings_days": 90}))) == READINGS
    assert proof(filled).by_sums.traffic_readings == readings


def test_rows_dropped_before_compaction_add_up_too(
    filled: Settings, owner: psycopg.Connection
) -> None:
    messages, events = count(filled, "raw_events"), count(filled, "processed_events")
    grow_older(owner, timedelta(days=100))
    Retention(owner, filled, LockRetry(seconds=1)).drop_expired(datetime.now(UTC))
    proof(filled)
    assert compact_audit(owner, filled, datetime.now(UTC)).rows > 0
    assert proof(filled).by_sums.dropped == {"raw_events": messages, "processed_events": events}


def test_events_may_go_before_their_messages(filled: Settings, owner: psycopg.Connection) -> None:
    grow_older(owner, timedelta(days=100))
    assert dropped(keep(filled.model_copy(update={"raw_days": 0}))) == MONTHS
    assert proof(filled).by_sums.raw_events == 0


def test_history_that_arrived_today_stays(filled: Settings) -> None:
    report = keep(filled)
    assert dropped(report) == set()
    assert partitions(filled, "processed_events") >= MONTHS
    assert "newest row arrived" in report.retired.kept["processed_events_202510"]


def test_one_new_arrival_keeps_its_month(sending: Settings, owner: psycopg.Connection) -> None:
    grow_older(owner, timedelta(days=100))
    send(sending, [event("a", 700)], partition=0)
    drain(sending)
    report = keep(sending)
    assert "processed_events_202511" in dropped(report)
    assert set(report.retired.kept) >= {"processed_events_202510"}
    proof(sending)
    grow_older(owner, timedelta(days=91))
    assert "processed_events_202510" in dropped(keep(sending))
    proof(sending)


def test_late_events_of_a_dropped_month_are_stored_and_dropped_later(
    sending: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=100))
    keep(sending)
    send(sending, [event("a", 0, speed=1.0), event("b", 1 + NOVEMBER), b"broken"], partition=1)
    drain(sending)
    proof(sending)
    import_sensors(sending, "stranger")
    assert reprocess_rejected(sending, QuarantineFilter()).replayed == 1
    proof(sending)
    grow_older(owner, timedelta(days=100))
    assert dropped(keep(sending)) >= MONTHS
    proof(sending)
    assert count(sending, "processed_events") == count(sending, "raw_events") == 0


def test_roll_ups_outlive_their_readings_when_late_data_arrives(
    sending: Settings, owner: psycopg.Connection
) -> None:
    roll_up_all(sending)
    dates = [row[0] for row in rows(sending, "select distinct date from traffic.readings_daily")]
    for day in dates:
        compute_health(sending, day)
    tables = ("readings_5min", "readings_hourly", "readings_daily", "detector_health")
    before = [rows(sending, f"select * from traffic.{table} order by 1, 2") for table in tables]
    assert all(before)
    grow_older(owner, timedelta(days=100))
    assert dropped(keep(sending.model_copy(update={"readings_days": 90}))) >= READINGS
    send(sending, [event("a", 0, speed=1.0)], partition=1)
    drain(sending)
    assert count(sending, "traffic_readings") == 1
    with psycopg.connect(sending.endpoints().ingest_url, autocommit=True) as connection:
        recompute(connection, dates)
    roll_up_all(sending)
    assert [compute_health(sending, day).date for day in dates] == dates
    assert count(sending, "dirty_buckets") == 0
    assert before == [
        rows(sending, f"select * from traffic.{table} order by 1, 2") for table in tables
    ]


def test_rows_without_an_audit_row_keep_their_partition(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=40))
    owner.execute("delete from traffic.micro_batches where partition = 1")
    report = keep(filled)
    assert dropped(report) == set()
    assert "no audit row" in next(iter(report.retired.kept.values()))


def test_readers_go_on_while_a_partition_waits_for_them(
    filled: Settings, owner: psycopg.Connection
) -> None:
    grow_older(owner, timedelta(days=40))
    url = filled.endpoints().read_url
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as other:
        before = reader.execute("select count(*) from traffic.raw_events").fetchone()
        # Longer than the attempts wait for a lock; meanwhile other readers wait behind them.
        other.execute("set statement_timeout = '5s'")
        over = threading.Event()

        def count_until_over() -> set[object]:
            counts: set[object] = set()
            while not over.wait(0.05):
                counts.add(other.execute("select count(*) from traffic.raw_events").fetchone())
            return counts

        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(count_until_over)
            try:
                report = keep(filled, lock_retry=LockRetry(seconds=0))
            finally:
                over.set()
        assert dropped(report) == set()
        kept = {n: why for n, why in report.retired.kept.items() if n.startswith("raw_events")}
        assert list(kept.values()) == ["it is in use"]
        assert counting.result() == {before}
        assert reader.execute("select count(*) from traffic.raw_events").fetchone() == before
    assert dropped(keep(filled)) != set()


def test_only_missing_partitions_ahead_are_work(platform: Settings) -> None:
    now = datetime.now(UTC)
    with connect(platform.endpoints().read_url, application_name="test") as reader:
        assert find_work(reader, platform, now)
        created = keep(platform).created
        assert {f"raw_events_{now + timedelta(days=7):%Y%m%d}"} < {one.name for one in created}
        assert len({one.name for one in created}) == 8 + 2 * 4
        assert find_work(reader, platform, now) == []
        assert keep(platform).created == []
        tomorrow = find_work(reader, platform, now + timedelta(days=1))
    assert f"raw_events_{now + timedelta(days=8):%Y%m%d}" in {one.name for one in tomorrow}


def test_expired_partitions_are_work_until_they_are_dropped(
    filled: Settings, owner: psycopg.Connection
) -> None:
    keep(filled)
    grow_older(owner, timedelta(days=40))
    with connect(filled.endpoints().read_url, application_name="test", autocommit=True) as reader:
        assert find_work(reader, filled, datetime.now(UTC))
        keep(filled)
        assert find_work(reader, filled, datetime.now(UTC)) == []


def test_a_second_maintenance_is_refused(platform: Settings, owner: psycopg.Connection) -> None:
    owner.execute("select pg_advisory_lock(%s)", (MAINTENANCE_LOCK,))
    with pytest.raises(LockBusyError):
        keep(platform)


def test_the_writing_role_cannot_drop_a_current_partition(platform: Settings) -> None:
    keep(platform)
    today = datetime.now(UTC).date()
    with psycopg.connect(platform.endpoints().ingest_url) as writer:
        with pytest.raises(psycopg.errors.RaiseException, match="is not over yet"):
            writer.execute("select traffic.drop_partition('raw_events', %s, 0)", (today,))
        writer.rollback()
        with pytest.raises(psycopg.errors.RaiseException, match="not partitioned by date"):
            writer.execute("select traffic.drop_partition('sensors', '2020-01-01', 0)")
    with (
        psycopg.connect(platform.endpoints().read_url) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        reader.execute("select traffic.drop_partition('raw_events', '2020-01-01', 0)")
