"""A long queue of dirty buckets, as after a change of many sensors."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from traffic_platform.rollups import roll_up

NOON = datetime(2025, 10, 4, 12, tzinfo=UTC)


def test_a_long_queue_is_read_once_whatever_the_statistics_say(owner: psycopg.Connection) -> None:
    fill_queue(owner, 10_000)
    before = rows_read(owner)
    assert roll_up(owner, limit=1_000).left
    assert rows_read(owner) - before < 10 * 10_000


def test_a_roll_up_takes_buckets_up_to_its_limit_however_many_rows_hold_them(
    owner: psycopg.Connection,
) -> None:
    fill_queue(owner, 10_000)
    assert roll_up(owner, limit=6_000).left
    assert queued(owner) == 4_000
    assert not roll_up(owner, limit=6_000).left
    assert queued(owner) == 0


def test_a_bucket_that_many_batches_marked_counts_once(owner: psycopg.Connection) -> None:
    fill_queue(owner, 50)
    owner.execute(
        "insert into traffic.dirty_buckets (sensor_ids, buckets)"
        " select d.sensor_ids, d.buckets from traffic.dirty_buckets d, generate_series(1, 20)"
    )
    assert queued(owner) == 50 * 21
    assert not roll_up(owner, limit=51).left
    assert queued(owner) == 0


def fill_queue(owner: psycopg.Connection, rows: int) -> None:
    """Append rows of one bucket each, right after statistics of the empty table."""
    owner.execute("insert into traffic.dirty_buckets (sensor_ids, buckets) values ('{}', '{}')")
    owner.execute("delete from traffic.dirty_buckets")
    owner.execute("analyze traffic.dirty_buckets")
    owner.execute(
        "insert into traffic.dirty_buckets (sensor_ids, buckets)"
        " select array[gen_random_uuid()], array[%s::timestamptz] from generate_series(1, %s)",
        (NOON, rows),
    )


def queued(owner: psycopg.Connection) -> int:
    """Return the number of queued rows."""
    row = owner.execute("select count(*) from traffic.dirty_buckets").fetchone()
    assert row is not None
    return row[0]


def rows_read(owner: psycopg.Connection) -> int:
    """Return the number of rows of the queue that this server has read so far."""
    owner.execute("select pg_stat_force_next_flush()")
    row = owner.execute(
        "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables"
        " where relid = 'traffic.dirty_buckets'::regclass"
    ).fetchone()
    assert row is not None
    return row[0]
