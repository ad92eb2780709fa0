"""Migrations of new databases and of filled ones of the previous version."""

from __future__ import annotations

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest
from psycopg import sql

from traffic_platform.errors import TransientError
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.postgres.migrate import migrate
from traffic_platform.settings import SettingsError
from traffic_platform.stack.layout import MIGRATION_SECONDS
from traffic_platform.statements import sql_folder
from traffic_platform.verify.dropped import read_by_sums
from traffic_platform.verify.event_rows import (
    check_audit,
    check_reading_ids,
    check_references,
    check_rows,
)
from traffic_platform.verify.ledger_sums import check_ledger
from traffic_platform.verify.snapshot import open_snapshot
from traffic_platform.verify.verify_report import VerifyReport
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.postgres.schema_comparison import describe_schema

DUMP = Path(__file__).with_name("version_0_1_0.sql")
ZONE = "UTC"
EMPTY = LockRetry(seconds=0)
NEWEST = max(
    script.name.partition("_")[0]
    for script in (sql_folder() / "migrations" / "versions").glob("[0-9]*.py")
)


@dataclass(frozen=True)
class Database:
    """A database for one test, with a connection of its owner in autocommit."""

    url: str
    read_url: str
    owner: psycopg.Connection[Any]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query, run by the owner."""
        return self.owner.execute(cast("LiteralString", query)).fetchall()


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Database]:
    """A database without a schema."""
    yield from _database(postgres)


@pytest.fixture
def fresh(postgres: PostgresServer) -> Iterator[Database]:
    """A new database of this version."""
    for database in _database(postgres):
        migrate(database.url, ZONE)
        yield database


@pytest.fixture
def old(empty: Database) -> Database:
    """A filled database of version 0.1.0."""
    if empty.owner.info.server_version < 180000:
        pytest.skip("the dump has virtual columns, which PostgreSQL has from version 18 on")
    with psycopg.connect(empty.url, options="-c check_function_bodies=off") as restoring:
        restoring.execute(cast("LiteralString", DUMP.read_text(encoding="utf-8")))
    return empty


def _database(postgres: PostgresServer) -> Iterator[Database]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "traffic_owner")
    url = postgres.service.url("traffic_owner", name)
    try:
        with psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as owner:
            yield Database(url, postgres.service.url("traffic_read", name), owner)
    finally:
        with postgres.superuser() as connection:
            drop = sql.SQL("drop database {} with (force)")
            connection.execute(drop.format(sql.Identifier(name)))


def _partitions(database: Database) -> list[tuple[str, str]]:
    """Return (parent, partition) of the event tables, in the order of partition names."""
    return database.rows(
        "select p.relname, c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " join pg_class p on p.oid = i.inhparent where c.relkind = 'r'"
        " and c.relnamespace = 'traffic'::regnamespace order by 2"
    )


def _contents(database: Database) -> dict[str, list[tuple[str]]]:
    """Return the rows of all tables as JSON, by table."""
    tables = database.rows(
        "select relname from pg_class where relnamespace = 'traffic'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition order by 1"
    )
    return {
        name: database.rows(f"select to_jsonb(t) from traffic.{name} t order by to_jsonb(t)::text")
        for (name,) in tables
    }


def test_a_new_database_starts_from_the_baseline(fresh: Database) -> None:
    assert fresh.rows("select version_num from public.traffic_alembic_version") == [(NEWEST,)]
    assert fresh.rows("select timezone from traffic.platform") == [(ZONE,)]
    migrate(fresh.url, ZONE)
    assert fresh.rows("select count(*) from traffic.platform_keys") == [(1,)]


def test_every_table_of_the_old_database_holds_rows(old: Database) -> None:
    assert [name for name, rows in _contents(old).items() if not rows] == []
    for parent, partition in _partitions(old):
        if partition.endswith(("202510", "202511", "20261130")):
            assert old.rows(f"select count(*) > 0 from traffic.{partition}") == [(True,)], parent


def test_an_old_database_gets_the_schema_of_a_new_one(old: Database, fresh: Database) -> None:
    migrate(old.url, ZONE)
    for parent, partition in _partitions(old):
        day = partition.removeprefix(f"{parent}_").ljust(8, "0").replace("00", "01")
        fresh.owner.execute("select traffic.ensure_partition(%s, %s)", (parent, day[:8]))
    # Maintenance indexes months that are over.
    indexes = (
        "select indexdef from pg_indexes where schemaname = 'traffic'"
        " and indexname like '%_in_order'"
    )
    for (definition,) in old.rows(indexes):
        fresh.owner.execute(definition)
    expected, found = describe_schema(fresh.owner), describe_schema(old.owner)
    for name, objects in expected.items():
        assert found[name] == objects, name
    assert old.rows("select version_num from public.traffic_alembic_version") == [(NEWEST,)]


def test_an_old_database_keeps_its_data(old: Database) -> None:
    before = _contents(old)
    files = "select oid::regclass::text, pg_relation_filenode(oid) from pg_class" + (
        " where relispartition and relkind = 'r' order by 1"
    )
    stored = old.rows(files)
    migrate(old.url, ZONE)
    assert old.rows(files) == stored, "no partition was rewritten"
    kinds = {"window": "ingest", "replay": "reprocess", "rebuild": "backfill"}
    assert {row["kind"] for (row,) in before["micro_batches"]} == set(kinds)
    added = {
        "raw_events": {"order_time": None},
        "processed_events": {"event_no": 0, "interval_s": None},
        "traffic_readings": {"event_no": 0, "interval_s": None, "order_time": None},
        "quarantined_events": {"event_no": 0, "order_time": None},
        "micro_batches": {"superseded": 0, "order_floor": None},
        "replayed_events": {"event_no": 0},
        "rebuilt_events": {"event_no": 0},
        "sensors": {"retired": False, "valid_from": "-infinity"},
    }
    after = _contents(old)
    assert len(after.pop("sensor_periods")) == len(before["sensors"])
    assert after.keys() - before.keys() == {"published_ahead"}
    for table, rows in before.items():
        expected = [row | added.get(table, {}) for (row,) in rows]
        if table == "micro_batches":
            expected = [row | {"kind": kinds[row["kind"]]} for row in expected]
        found = [row for (row,) in after[table]]
        if table == "kafka_offsets":
            assert all(row.pop("order_time") > "1970-01-01" for row in found)
        assert sorted(found, key=str) == sorted(expected, key=str), table


def test_a_database_that_was_brought_over_is_proved(old: Database) -> None:
    migrate(old.url, ZONE)
    report = VerifyReport(deep=False, snapshot_at=datetime.now(UTC), rules_version="")
    with open_snapshot(old.read_url) as reader:
        report.by_sums = read_by_sums(reader)
        check_ledger(reader, report)
        check_rows(reader, report)
        check_audit(reader, report, "UTC", "traffic-raw")
        check_references(reader, report)
        check_reading_ids(reader, report)
    assert [finding.sentence for finding in report.findings] == []
    assert report.rows["traffic_readings"] > 0


def test_indexes_lead_to_an_event_and_to_corrections(old: Database) -> None:
    migrate(old.url, ZONE)
    with pytest.raises(psycopg.errors.UniqueViolation), old.owner.transaction():
        old.owner.execute(
            "insert into traffic.quarantined_events"
            " select * from traffic.quarantined_events limit 1"
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        old.owner.execute("update traffic.micro_batches set kind = 'window'")
    corrections = "explain select from traffic.micro_batches where kind <> 'ingest'"
    old.owner.execute("set enable_seqscan = off")
    assert "micro_batches_topic_no_partition_batch_id_idx" in str(old.rows(corrections))


def test_views_and_rights_of_the_user_stay(old: Database) -> None:
    own = (
        "create view traffic.mine as select external_id from traffic.traffic_readings_detail",
        "create view traffic.kinds as select kind, count(*) from traffic.micro_batches group by 1",
        "grant select on traffic.processed_events_detail to pg_monitor",
    )
    for statement in own:
        old.owner.execute(statement)
    migrate(old.url, ZONE)
    assert old.rows("select count(*) > 0 from traffic.mine") == [(True,)]
    assert ("ingest",) in old.rows("select kind from traffic.kinds")
    assert old.rows(
        "select has_table_privilege('pg_monitor', 'traffic.processed_events_detail', 'select')"
    ) == [(True,)]


@pytest.mark.parametrize("revision", ["0001", "0011"])
def test_an_older_database_is_refused(old: Database, revision: str) -> None:
    old.rows(f"update public.traffic_alembic_version set version_num = '{revision}' returning 1")
    before = describe_schema(old.owner)
    with pytest.raises(SettingsError, match=rf"revision {revision}.*version 0\.1\.0 first"):
        migrate(old.url, ZONE)
    assert describe_schema(old.owner) == before


@pytest.mark.parametrize("name", ["fresh", "old"])
def test_a_later_migration_reaches_databases_that_hold_data(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database: Database = request.getfixturevalue(name)
    shutil.copytree(sql_folder() / "migrations", tmp_path / "migrations")
    (tmp_path / "migrations/versions/0098_later.py").write_text(
        f'from alembic import op\nrevision = "0098"\ndown_revision = "{NEWEST}"\n'
        'def upgrade() -> None:\n    op.execute("create table traffic.later (a integer)")\n'
    )
    monkeypatch.setattr("traffic_platform.postgres.migrate.sql_folder", lambda: tmp_path)
    for _start in range(2):
        migrate(database.url, ZONE)
        assert database.rows("select version_num from public.traffic_alembic_version") == [
            ("0098",)
        ]
    assert database.rows("select count(*) from traffic.later") == [(0,)]


def test_a_database_of_a_later_version_is_refused(fresh: Database) -> None:
    fresh.rows("update public.traffic_alembic_version set version_num = '0099' returning 1")
    with pytest.raises(SettingsError, match=r"revision 0099, which this version does not know"):
        migrate(fresh.url, ZONE)


def test_a_reader_that_stays_is_named_and_nothing_is_changed(old: Database) -> None:
    before = describe_schema(old.owner)
    with psycopg.connect(old.read_url, application_name="a long report") as reader:
        reader.execute("select count(*) from traffic.traffic_readings")
        pid = reader.info.backend_pid
        blocker = rf"a long report \(process {pid}, role traffic_read\) uses traffic\.traffic_read"
        with pytest.raises(TransientError, match=blocker):
            migrate(old.url, ZONE, EMPTY)
        assert reader.execute("select 1").fetchone() == (1,)
    assert describe_schema(old.owner) == before


def test_a_migration_waits_for_a_reader(old: Database, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING),
        psycopg.connect(old.read_url, application_name="a long report") as reader,
    ):
        reader.execute("select count(*) from traffic.quarantined_events")
        errors: list[BaseException] = []

        def run() -> None:
            try:
                migrate(old.url, ZONE)
            except BaseException as error:
                errors.append(error)

        migration = threading.Thread(target=run)
        migration.start()
        end = time.monotonic() + 30
        while "The migration waits for a long report" not in caplog.text:
            assert time.monotonic() < end, "no warning names the reader"
            time.sleep(0.05)
        # Another reader waits no longer than the migration tries for its locks.
        with psycopg.connect(old.read_url) as other:
            assert other.execute("select count(*) from traffic.quarantined_events").fetchone()
        reader.rollback()
        migration.join(60)
    assert not migration.is_alive()
    assert errors == []
    assert old.rows("select version_num from public.traffic_alembic_version") == [(NEWEST,)]


def test_the_catalogue_describes_each_column_and_its_type(fresh: Database) -> None:
    found = fresh.rows(
        "select c.relname, a.attname, format_type(a.atttypid, null),"
        " col_description(c.oid, a.attnum)"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
        " and not a.attisdropped where c.relnamespace = 'traffic'::regnamespace"
        " and c.relkind in ('r', 'p') and not c.relispartition"
    )
    described = {
        (table.name, column.name, column.type, column.description)
        for table in load_catalogue().values()
        for column in table.columns
    }
    assert set(found) == described


def test_the_stack_gives_a_migration_longer_than_it_waits_for_others() -> None:
    waits = LockRetry().seconds + timedelta(minutes=10).total_seconds()
    assert waits + timedelta(hours=1).total_seconds() < MIGRATION_SECONDS
