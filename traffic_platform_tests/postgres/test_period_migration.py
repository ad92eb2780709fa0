"""The migration of a filled database to periods of sensors."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from traffic_platform.errors import TransientError
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.postgres.migrate import migrate
from traffic_platform.settings import SettingsError
from traffic_platform.statements import sql_folder
from traffic_platform_tests.postgres.test_migrations import ZONE, Database, empty

__all__ = ["empty"]

SENSORS = [
    # external_id, origin, interval, length, lanes, free flow, rural, inferred interval and speed
    ("imported", "imported", 20, 0.5, 2, 60.0, True, None, None),
    ("inferred", "seen", None, None, None, None, None, 30, None),
    ("described", "imported", None, 1.5, 1, None, False, 60, 57.0),
    ("unknown", "seen", None, None, None, None, None, None, None),
]


@pytest.fixture
def filled(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database of version 0.2.0, without periods, with sensors, roll-ups and diagnoses."""
    with monkeypatch.context() as patch:
        shutil.copytree(sql_folder() / "migrations", tmp_path / "migrations")
        for later in (tmp_path / "migrations/versions").glob("*.py"):
            if later.name > "0014":
                later.unlink()
        patch.setattr("traffic_platform.postgres.migrate.sql_folder", lambda: tmp_path)
        patch.setattr("traffic_platform.postgres.migrate.write_comments", lambda _: None)
        migrate(empty.url, ZONE)
    assert empty.rows("select version_num from public.traffic_alembic_version") == [("0013",)]
    for number, row in enumerate(SENSORS):
        empty.owner.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin, interval_s, length_mi,"
            " lanes, free_flow_mph, rural, inferred_interval_s, inferred_free_flow_mph)"
            " values (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            row,
        )
        empty.owner.execute(
            "insert into traffic.readings_hourly (sensor_id, hour, interval_s, samples,"
            " with_volume, sum_volume, vehicles, sum_q, sum_qv, with_occupancy, sum_occupancy,"
            " good, good_share, observed, observed_share)"
            " select sensor_id, %s, %s, 180, 180, 216000, 1200, 1, 1, 0, 0, 1, 1, 12, 1"
            " from traffic.sensors where external_id = %s",
            (datetime(2025, 10, 4, 12, tzinfo=UTC), row[2] or row[7], row[0]),
        )
        empty.owner.execute(
            "insert into traffic.detector_health (sensor_id, date, diagnosis, seen, field, rural,"
            " interval_s, interval_inferred, readings, samples, computed_at)"
            " select sensor_id, '2025-10-04', 'good', '', '', false, %s, false, %s, 1, now()"
            " from traffic.sensors where external_id = %s",
            (row[2], number, row[0]),
        )
    empty.owner.execute("grant select on traffic.detector_health_detail to pg_monitor")
    return empty


def rows_of(database: Database, table: str) -> list[tuple[Any, ...]]:
    return database.rows(f"select to_jsonb(t) from traffic.{table} t order by 1")


def test_each_sensor_of_a_filled_database_gets_one_period_since_the_beginning(
    filled: Database,
) -> None:
    tables = ("readings_hourly", "detector_health", "detector_health_detail")
    before = {table: rows_of(filled, table) for table in tables}
    migrate(filled.url, ZONE)
    assert filled.rows(
        "select s.external_id, s.origin, p.interval_s, p.length_mi, p.lanes, p.free_flow_mph,"
        " p.rural, p.inferred_interval_s, p.inferred_free_flow_mph"
        " from traffic.sensor_periods p join traffic.sensors s using (sensor_id)"
        " order by s.external_id"
    ) == sorted(SENSORS)
    assert filled.rows(
        "select distinct p.valid_from::text, p.retired, p.source, s.valid_from::text, s.retired"
        " from traffic.sensor_periods p join traffic.sensors s using (sensor_id)"
    ) == [("-infinity", False, "registered", "-infinity", False)]
    assert {table: rows_of(filled, table) for table in tables} == before
    rights = "select has_table_privilege('pg_monitor', 'traffic.detector_health_detail', 'select')"
    assert filled.rows(rights) == [(True,)]
    filled.owner.execute("update traffic.readings_hourly set interval_s = 0.1")
    assert filled.rows("select distinct interval_s from traffic.readings_hourly") == [
        (Decimal("0.1"),)
    ]


@pytest.mark.parametrize(
    "definition",
    [
        "select external_id, interval_s from traffic.sensors",
        "select diagnosis from traffic.detector_health_detail",
    ],
)
def test_a_view_of_the_user_on_the_interval_is_named_and_nothing_changes(
    filled: Database, definition: str
) -> None:
    filled.owner.execute(f"create view traffic.mine as {definition}")  # pyright: ignore
    with pytest.raises(SettingsError, match=r"traffic\.mine read it\. Drop these views"):
        migrate(filled.url, ZONE)
    assert filled.rows("select to_regclass('traffic.sensor_periods')") == [(None,)]
    filled.owner.execute("drop view traffic.mine")
    migrate(filled.url, ZONE)
    assert filled.rows("select count(*) from traffic.sensor_periods") == [(len(SENSORS),)]


def test_a_reader_of_a_roll_up_is_named_and_the_migration_succeeds_after_it(
    filled: Database,
) -> None:
    with psycopg.connect(filled.read_url, application_name="a long report") as reader:
        reader.execute("select count(*) from traffic.readings_hourly")
        with pytest.raises(TransientError, match=r"a long report .* uses traffic\.readings_hourly"):
            migrate(filled.url, ZONE, LockRetry(seconds=0))
    migrate(filled.url, ZONE)
    assert filled.rows("select count(*) from traffic.sensor_periods") == [(len(SENSORS),)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("update traffic.sensors set interval_s = 60", "shows the current period"),
        ("delete from traffic.sensor_periods", "since the beginning"),
        (
            "insert into traffic.sensor_periods (sensor_id, valid_from, source)"
            " select sensor_id, '2100-01-01', 'imported' from traffic.sensors",
            "in the future",
        ),
        (
            "insert into traffic.sensor_periods (sensor_id, valid_from, source)"
            " select sensor_id, '2025-10-04 00:01+00', 'imported' from traffic.sensors",
            "sensor_periods_valid_from_check",
        ),
    ],
)
def test_the_copy_of_the_current_period_cannot_differ(
    filled: Database, change: str, message: str
) -> None:
    migrate(filled.url, ZONE)
    with pytest.raises(psycopg.Error, match=message):
        filled.owner.execute(change)  # pyright: ignore
    filled.owner.execute("delete from traffic.detector_health")
    filled.owner.execute("delete from traffic.sensors")
    assert filled.rows("select count(*) from traffic.sensor_periods") == [(0,)]
