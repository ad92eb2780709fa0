"""Migrations of a database that holds something."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import LiteralString, cast

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from traffic_platform.postgres.migrate import migrate
from traffic_platform.settings import Settings
from traffic_platform.statements import sql_folder
from traffic_platform_tests.rollups.readings import add_readings, add_sensor, every


def test_messages_quarantined_before_get_the_dates_that_their_batch_counted(
    settings: Settings,
) -> None:
    script = sql_folder() / "migrations/versions/0004_replayed_quarantine.sql"
    with psycopg.connect(settings.endpoints().owner_url) as owner:
        owner.execute(
            "alter table traffic.quarantined_events drop column event_date,"
            " drop column rules_version"
        )
        owner.execute(
            "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('t', 'i', 'c')"
        )
        owner.execute(
            "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset,"
            " next_offset, delivered, raw, processed, quarantined, inserted, updated, unchanged,"
            " rules_version, date_counts) values (7, 1, 0, 0, 4, 4, 4, 1, 3, 1, 0, 0, '1', '{"
            '"2025-01-01": {"raw": 2, "processed": 1, "quarantined": 1},'
            '"2025-01-02": {"raw": 2, "processed": 0, "quarantined": 2}}\')'
        )
        owner.execute(
            'insert into traffic.quarantined_events (topic_no, partition, "offset", reason, detail,'
            " broker_timestamp, quarantined_at, batch_id) select 1, 0, n, 'empty', '',"
            " '2025-02-01 12:00+00', '2025-02-01 12:00+00', case when n = 9 then 8 else 7 end"
            " from unnest(array[0, 2, 3, 9]) n"
        )
        owner.execute(cast("LiteralString", script.read_text()))
        found = owner.execute(
            'select "offset", event_date from traffic.quarantined_events order by 1'
        ).fetchall()
    assert found == [
        (0, date(2025, 1, 1)),
        (2, date(2025, 1, 2)),
        (3, date(2025, 1, 2)),
        (9, date(2025, 2, 1)),  # of a batch without an audit row
    ]


def test_detector_health_can_be_taken_back_and_made_again(settings: Settings) -> None:
    url = settings.endpoints().owner_url
    _downgrade(url, "0004")
    with psycopg.connect(url) as owner:
        assert owner.execute("select to_regclass('traffic.detector_health')").fetchone() == (None,)
    migrate(url, settings.timezone)
    with psycopg.connect(settings.endpoints().ingest_url) as writer:
        assert writer.execute("delete from traffic.detector_health").rowcount == 0


def test_readings_of_before_are_counted(settings: Settings, owner: psycopg.Connection) -> None:
    noon = datetime(2025, 10, 4, 12, tzinfo=UTC)
    _downgrade(settings.endpoints().owner_url, "0008")
    add_sensor(owner, "s")
    add_readings(owner, "s", every(7, noon, 500))
    migrate(settings.endpoints().owner_url, settings.timezone)
    for span_s in (10, 900):
        differ = owner.execute(
            "select * from"
            " (select start, readings from traffic.reading_counts where span_s = %(s)s) c"
            " full join (select count(*) as readings,"
            " to_timestamp(floor(date_part('epoch', \"timestamp\") / %(s)s) * %(s)s) as start"
            " from traffic.traffic_readings group by 2) r"
            " using (start) where c.readings is distinct from r.readings",
            {"s": span_s},
        ).fetchall()
        assert differ == []
    indexes = owner.execute(
        "select count(*) from pg_indexes where tablename = 'traffic_readings_202510'"
        " and indexdef like '%%brin (\"timestamp\")%%'"
    ).fetchone()
    assert indexes == (1,)


def test_ids_stay_the_same_when_they_are_no_longer_stored(
    settings: Settings, owner: psycopg.Connection
) -> None:
    url = settings.endpoints().owner_url
    _downgrade(url, "0011")
    add_sensor(owner, "s")
    add_readings(owner, "s", every(7, datetime(2025, 10, 4, 12, tzinfo=UTC), 500))
    ids: LiteralString = 'select id from traffic.traffic_readings_detail order by "timestamp"'
    stored = owner.execute(ids).fetchall()
    migrate(url, settings.timezone)
    assert owner.execute(ids).fetchall() == stored
    assert owner.execute(_HOW_GENERATED).fetchall() == [("v",)]
    by_key: LiteralString = 'select id = traffic.reading_id(sensor_id, "timestamp")'
    assert owner.execute(f"{by_key} from traffic.traffic_readings").fetchall() == [(True,)] * 500
    _downgrade(url, "0011")
    assert owner.execute(_HOW_GENERATED).fetchall() == [("s",)]


@pytest.mark.parametrize(
    "own",
    [
        "create view traffic.mine as select id from traffic.traffic_readings",
        "create index mine on traffic.traffic_readings (id)",
        "grant select (id) on traffic.traffic_readings to pg_monitor",
        "create statistics traffic.mine on id, speed from traffic.traffic_readings",
    ],
    ids=["view", "index", "rights", "statistics"],
)
def test_ids_stay_stored_where_somebody_s_own_depends_on_them(
    settings: Settings, owner: psycopg.Connection, own: LiteralString
) -> None:
    url = settings.endpoints().owner_url
    _downgrade(url, "0011")
    owner.execute(own)
    migrate(url, settings.timezone)
    assert owner.execute(_HOW_GENERATED).fetchall() == [("s",)]
    _downgrade(url, "0011")
    migrate(url, settings.timezone)
    assert owner.execute(_HOW_GENERATED).fetchall() == [("s",)]


def test_who_reads_the_view_and_its_text_still_can_when_ids_are_computed(
    settings: Settings, owner: psycopg.Connection
) -> None:
    url = settings.endpoints().owner_url
    rights: LiteralString = (
        "select has_table_privilege('pg_monitor', 'traffic.traffic_readings_detail', 'select')"
    )
    _downgrade(url, "0011")
    owner.execute("grant select on traffic.traffic_readings_detail to pg_monitor")
    owner.execute(
        "create view traffic.mine as select traffic.reading_json(sensor_id, sensor_id,"
        ' "timestamp", speed, volume, occupancy, quality_score) from traffic.traffic_readings'
    )
    migrate(url, settings.timezone)
    assert owner.execute(_HOW_GENERATED).fetchall() == [("v",)]
    assert owner.execute(rights).fetchone() == (True,)
    _downgrade(url, "0011")
    assert owner.execute(rights).fetchone() == (True,)


_HOW_GENERATED: LiteralString = (
    "select distinct attgenerated::text"
    " from pg_partition_tree('traffic.traffic_readings') join pg_attribute on attrelid = relid"
    " where attname = 'id'"
)


def _downgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(sql_folder() / "migrations"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    engine.dispose()
