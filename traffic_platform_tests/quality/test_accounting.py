"""The check of offsets, on broken ledgers."""

from __future__ import annotations

from threading import Thread
from typing import Any

import psycopg
import pytest

from traffic_platform.quality import accounting
from traffic_platform.quality.accounting import (
    every_offset_accounted_for,
    ledger_not_blocked,
    no_lost_range,
)
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import SAMPLE_ROWS
from traffic_platform.settings import Settings
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.quality.conftest import context_at

TILE = "ranges that do not tile"
SUMS = "audit rows that do not add up"
ROWS = "partitions whose raw rows differ"


@pytest.fixture
def ledger(owner: psycopg.Connection) -> psycopg.Connection:
    """One partition with offsets 0 to 30, stored in three micro-batches of ten."""
    owner.execute("select traffic.ensure_partition('raw_events', current_date)")
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('raw', 'id', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset) "
        "values (1, 0, 'raw', 0, 30)"
    )
    for batch in range(3):
        audit(owner, batch * 10, batch * 10 + 10)
    owner.execute(
        'insert into traffic.raw_events (topic_no, partition, "offset", ingested_at, batch_id) '
        "select 1, 0, n, now(), n / 10 + 1 from generate_series(0, 29) n"
    )
    return owner


def audit(owner: psycopg.Connection, first: int, following: int, **counts: int) -> None:
    """Insert an audit row whose counts add up, except `counts`."""
    size = following - first
    row = {
        "first": first, "next": following, "delivered": size, "raw": size,
        "processed": size, "quarantined": 0, "echoes": 0,
    } | counts  # fmt: skip
    owner.execute(
        "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset, "
        "next_offset, delivered, raw, processed, quarantined, echoes, inserted, updated, "
        "unchanged, rules_version) values (nextval('traffic.batch_ids'), 1, 0, %(first)s, "
        "%(next)s, %(delivered)s, %(raw)s, %(processed)s, %(quarantined)s, %(echoes)s, 0, 0, 0, "
        "'1')",
        row,
    )


def found(context: CheckContext) -> dict[str, int]:
    """The kinds of failures found, with their numbers."""
    outcome = every_offset_accounted_for(context)
    kinds = {kind: outcome.numbers[kind] for kind in (TILE, SUMS, ROWS)}
    wrong = {kind: number for kind, number in kinds.items() if number}
    assert outcome.passed == (not wrong)
    assert bool(outcome.sample) == bool(wrong)
    return wrong


def test_an_empty_ledger_passes(context: CheckContext) -> None:
    assert found(context) == {}


def test_a_ledger_that_adds_up_passes(ledger: psycopg.Connection, context: CheckContext) -> None:
    assert found(context) == {}


@pytest.mark.parametrize(
    ("deleted", "gap"),
    [
        ("first_offset = 0", (0, 10)),
        ("first_offset = 10", (10, 20)),
        ("next_offset = 30", (20, 30)),
    ],
)
def test_offsets_in_no_audit_row_are_found_with_their_range(
    ledger: psycopg.Connection, context: CheckContext, deleted: str, gap: tuple[int, int]
) -> None:
    ledger.execute("delete from traffic.micro_batches where " + deleted)  # pyright: ignore
    assert found(context)[TILE] == 1
    row = every_offset_accounted_for(context).sample[0]
    assert (row["first_offset"], row["next_offset"]) == gap
    assert row["finding"] == "in no audit row"


def test_offsets_in_two_audit_rows_are_found(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute("update traffic.micro_batches set first_offset = 15 where first_offset = 20")
    assert found(context)[TILE] == 1
    row = every_offset_accounted_for(context).sample[0]
    assert (row["first_offset"], row["next_offset"]) == (15, 20)
    assert row["finding"] == "in two audit rows"


def test_a_ledger_that_advanced_without_an_audit_row_is_found(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute("update traffic.kafka_offsets set next_offset = 31")
    assert TILE in found(context)


@pytest.mark.parametrize(
    "change",
    ["delivered = 9", "raw = 9", "processed = 9", "quarantined = 1", "echoes = 1"],
)
def test_counts_that_do_not_add_up_are_found(
    ledger: psycopg.Connection, context: CheckContext, change: str
) -> None:
    ledger.execute(f"update traffic.micro_batches set {change} where first_offset = 10")  # pyright: ignore
    assert found(context)[SUMS] == 1


def test_more_messages_than_offsets_are_found(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute(
        "update traffic.micro_batches set delivered = 11, raw = 11, processed = 11 "
        "where first_offset = 10"
    )
    assert SUMS in found(context)


def reprocess(owner: psycopg.Connection, first: int, following: int, **counts: int) -> None:
    """Insert an audit row of reprocessing that accepted one message, except `counts`."""
    signed = {"delivered": 0, "raw": 0, "processed": 1, "quarantined": -1} | counts
    audit(owner, first, following, **signed)
    owner.execute(
        "update traffic.micro_batches set kind = 'reprocess'"
        " where batch_id = (select max(batch_id) from traffic.micro_batches)"
    )


def test_rows_of_reprocessing_cover_the_ranges_that_they_correct(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    for first, following in ((3, 8), (5, 25), (29, 30)):
        reprocess(ledger, first, following)
    assert found(context) == {}


def test_reprocessing_whose_counts_do_not_add_up_is_found_among_many_batches(
    ledger: psycopg.Connection, context: CheckContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounting, "NEWEST_AUDIT_ROWS", 1)
    reprocess(ledger, 3, 8, quarantined=-2)
    assert found(context) == {SUMS: 1}


def test_markers_and_aborted_messages_pass(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute("update traffic.kafka_offsets set next_offset = 33")
    audit(ledger, 30, 33, delivered=0, raw=0, processed=0)
    assert found(context) == {}


def test_own_messages_and_quarantined_messages_pass(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute('delete from traffic.raw_events where "offset" in (12, 13)')
    ledger.execute(
        "update traffic.micro_batches set raw = 8, echoes = 2, processed = 5, quarantined = 3 "
        "where first_offset = 10"
    )
    assert found(context) == {}


@pytest.mark.parametrize(
    "change",
    [
        'delete from traffic.raw_events where "offset" = 25',
        'insert into traffic.raw_events select topic_no, partition, "offset", key, value, headers,'
        " broker_timestamp, ingested_at - interval '1 s', batch_id from traffic.raw_events"
        ' where "offset" = 25',
    ],
)
def test_a_raw_row_that_was_deleted_or_doubled_is_found(
    ledger: psycopg.Connection, context: CheckContext, change: Any
) -> None:
    ledger.execute(change)
    assert found(context) == {ROWS: 1}


def test_a_session_that_blocks_ingest_fails_until_it_ends(
    owner: psycopg.Connection,
    postgres: PostgresServer,
    database: str,
    reading: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A session of the same role sees the query.
    url = postgres.service.url("traffic_owner", database)
    with psycopg.connect(url, autocommit=True) as other:
        context = context_at(other, reading)
        owner.execute("begin")
        owner.execute("lock table traffic.raw_events in share mode")
        assert ledger_not_blocked(context).passed  # not for long yet
        monkeypatch.setattr(accounting, "BLOCKED_SECONDS", 0)
        outcome = ledger_not_blocked(context)
        assert not outcome.passed
        assert f"Process {owner.info.backend_pid} of application" in outcome.summary
        assert "lock table traffic.raw_events in share mode" in outcome.summary
        owner.execute("rollback")
        assert ledger_not_blocked(context).passed


def test_a_session_that_ingest_waits_for_is_found_by_the_reading_role_too(
    owner: psycopg.Connection,
    postgres: PostgresServer,
    database: str,
    context: CheckContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounting, "BLOCKED_SECONDS", 0)
    url = postgres.service.url("traffic_ingest", database)
    with psycopg.connect(url, application_name="traffic-ingest-0") as ingest:
        owner.execute("begin")
        owner.execute("lock table traffic.raw_events in access exclusive mode")
        assert ledger_not_blocked(context).passed  # it hides how long, and nobody waits
        waiting = Thread(target=ingest.execute, args=("select from traffic.raw_events",))
        waiting.start()
        while (outcome := ledger_not_blocked(context)).passed:
            assert waiting.is_alive()
        assert f"Process {owner.info.backend_pid} of application" in outcome.summary
        owner.execute("rollback")
        waiting.join()


def test_a_lost_range_fails_until_it_is_acknowledged(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute("update traffic.kafka_offsets set next_offset = 40")
    ledger.execute(
        "insert into traffic.lost_ranges (topic_no, partition, first_offset, next_offset, cause) "
        "values (1, 0, 30, 40, 'retention')"
    )
    assert found(context) == {}  # it is accounted for
    outcome = no_lost_range(context)
    assert not outcome.passed
    assert "(retention): raw/0 from 30" in outcome.summary
    assert (outcome.sample[0]["first_offset"], outcome.sample[0]["next_offset"]) == (30, 40)
    ledger.execute("update traffic.lost_ranges set acknowledged_at = now()")
    assert no_lost_range(context).passed


def test_a_loss_beyond_the_end_of_an_old_generation_is_not_a_gap(
    ledger: psycopg.Connection, context: CheckContext
) -> None:
    ledger.execute("update traffic.kafka_offsets set active = false")
    ledger.execute(
        "insert into traffic.lost_ranges (topic_no, partition, first_offset, cause) "
        "values (1, 0, 30, 'topic_recreated')"
    )
    assert found(context) == {}
    assert not no_lost_range(context).passed


def test_of_many_audit_rows_only_the_newest_are_read(
    ledger: psycopg.Connection, context: CheckContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounting, "NEWEST_AUDIT_ROWS", 2)
    assert found(context) == {}
    ledger.execute("delete from traffic.micro_batches where first_offset = 20")
    assert TILE in found(context)


def test_a_sample_is_bounded(ledger: psycopg.Connection, context: CheckContext) -> None:
    ledger.execute("update traffic.kafka_offsets set next_offset = 1000")
    for first in range(100, 1000, 10):
        audit(ledger, first, first + 5)
    assert len(every_offset_accounted_for(context).sample) == SAMPLE_ROWS
