"""Checks of quarantine, arrival, repeats and silent feeds, against a history of normal days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from traffic_platform.quality.arrival import feeds_deliver, messages_stored_in_time
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.quarantine import quarantine_rate_holds, quarantine_reasons_hold
from traffic_platform.quality.repeats import repeats_are_rare
from traffic_platform.settings import Settings
from traffic_platform_tests.quality.conftest import DAY, MIDNIGHT, Table, context_at


class Audit:
    """Audit rows of whole days, with the quarantined messages that they count."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self.owner = owner
        self.offset = 0
        owner.execute(
            "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('raw', 'i', 'c')"
        )

    def add(
        self,
        days_ago: int,
        messages: int,
        quarantined: Mapping[str, int] | None = None,
        repeats: int = 0,
        claimed: date | None = None,
    ) -> None:
        """One batch of a day; `claimed`: the date that its events say."""
        day = claimed or DAY - timedelta(days=days_ago)
        stored_at = MIDNIGHT - timedelta(days=days_ago) + timedelta(hours=12)
        reasons = quarantined or {}
        bad = sum(reasons.values())
        first, self.offset = self.offset, self.offset + messages
        good = messages - bad
        counts = {day.isoformat(): {"raw": messages, "quarantined": bad, "processed": good}}
        row = self.owner.execute(
            "insert into traffic.micro_batches (batch_id, topic_no, partition, first_offset, "
            "next_offset, delivered, raw, processed, quarantined, inserted, updated, unchanged, "
            "event_dates, date_counts, rules_version, committed_at) values "
            "(nextval('traffic.batch_ids'), 1, 0, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s, '1', "
            "%s) returning batch_id",
            [
                *(first, self.offset, messages, messages, good, bad),
                *(good - repeats, repeats, [day], json.dumps(counts)),
                stored_at,
            ],
        ).fetchone()
        assert row
        for reason, count in reasons.items():
            self.owner.execute(
                'insert into traffic.quarantined_events (topic_no, partition, "offset", reason, '
                "detail, quarantined_at, batch_id, event_date) "
                "select 1, 0, %s + n, %s, 'detail', %s, %s, %s from generate_series(1, %s) n",
                [first + 1_000_000 * len(reason), reason, stored_at, row[0], day, count],
            )


@pytest.fixture
def audit(owner: psycopg.Connection) -> Audit:
    """Thirteen days of 10,000 messages each, 20 of them invalid JSON and 30 repeats."""
    audit = Audit(owner)
    for days_ago in range(1, 14):
        audit.add(days_ago, 10_000, {"malformed_json": 20}, repeats=30)
    return audit


def test_a_day_with_much_more_in_quarantine_fails_with_its_share(
    audit: Audit, context: CheckContext
) -> None:
    audit.add(0, 10_000, {"malformed_json": 20, "timestamp_in_future": 300})
    outcome = quarantine_rate_holds(context)
    assert not outcome.passed
    assert "320 of 10,000 messages are quarantined (3.2%; 0.2% is usual" in outcome.summary
    assert outcome.sample[0]["reason"] in ("malformed_json", "timestamp_in_future")


def test_the_reason_that_grew_is_named(audit: Audit, context: CheckContext) -> None:
    audit.add(0, 10_000, {"malformed_json": 20, "timestamp_in_future": 300})
    outcome = quarantine_reasons_hold(context)
    assert outcome.summary.endswith("300 as timestamp_in_future.")
    assert [row["reason"] for row in outcome.sample] == ["timestamp_in_future"]


@pytest.mark.parametrize(
    ("claimed", "reason"),
    [
        (date(2036, 2, 7), "timestamp_in_future"),
        (date(2000, 1, 1), "timestamp_too_early"),
        # A clock a day ahead: it counts on the day on which it arrived, and not again on the next.
        (DAY + timedelta(days=1), "timestamp_in_future"),
        (DAY, "timestamp_in_future"),
    ],
)
def test_messages_with_a_far_off_clock_count_at_their_arrival(
    audit: Audit, context: CheckContext, claimed: date, reason: str
) -> None:
    audit.add(0, 5_000, {"malformed_json": 10})
    audit.add(0, 5_000, {reason: 5_000}, claimed=claimed)
    outcome = quarantine_rate_holds(context)
    assert "5,010 of 10,000 messages are quarantined (50.1%" in outcome.summary
    assert outcome.sample[0]["reason"] == reason
    outcome = quarantine_reasons_hold(context)
    assert outcome.numbers == {"messages": 10_000, "malformed_json": 10, reason: 5_000}
    assert outcome.summary.endswith(f"5000 as {reason}.")
    audit.add(-1, 10_000, {"malformed_json": 20})
    next_day = replace(context, day=DAY + timedelta(days=1), now=context.now + timedelta(days=1))
    assert quarantine_rate_holds(next_day).numbers["messages"] == 10_000
    assert quarantine_reasons_hold(next_day).passed


@pytest.mark.parametrize("check", [quarantine_rate_holds, quarantine_reasons_hold])
def test_a_day_like_the_others_passes(audit: Audit, context: CheckContext, check: object) -> None:
    audit.add(0, 10_000, {"malformed_json": 40})
    outcome = check(context)  # pyright: ignore[reportCallIssue]
    assert outcome.passed
    assert outcome.evaluated


@pytest.mark.parametrize("check", [quarantine_rate_holds, quarantine_reasons_hold])
def test_a_day_as_bad_as_its_weekday_before_passes(
    audit: Audit, context: CheckContext, check: object
) -> None:
    audit.add(14, 10_000, {"malformed_json": 900})
    audit.add(0, 10_000, {"malformed_json": 900})
    assert check(context).passed  # pyright: ignore[reportCallIssue]


def test_few_messages_and_a_short_history_are_not_evaluated(
    owner: psycopg.Connection, context: CheckContext
) -> None:
    audit = Audit(owner)
    audit.add(0, 50, {"malformed_json": 50})
    for days_ago in (1, 2, 3):
        audit.add(days_ago, 10_000)
    assert not quarantine_rate_holds(context).evaluated
    audit.add(0, 10_000, {"malformed_json": 5_000}, repeats=5_000)
    for check in (quarantine_rate_holds, quarantine_reasons_hold, repeats_are_rare):
        outcome = check(context)
        assert outcome.passed
        assert not outcome.evaluated


def test_many_more_repeats_than_before_fail(audit: Audit, context: CheckContext) -> None:
    audit.add(0, 10_000, repeats=500)
    outcome = repeats_are_rare(context)
    assert "500 of 10,000 events repeat another (5.0%; 0.3% is usual" in outcome.summary


def test_as_many_repeats_as_before_pass(audit: Audit, context: CheckContext) -> None:
    audit.add(0, 10_000, repeats=60)
    outcome = repeats_are_rare(context)
    assert outcome.passed
    assert outcome.evaluated


@pytest.fixture
def raw(owner: psycopg.Connection) -> psycopg.Connection:
    """raw_events with a partition for DAY, and its topic."""
    owner.execute("select traffic.ensure_partition('raw_events', %s)", [DAY])
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('raw', 'i', 'c')"
    )
    return owner


def arrive(raw: psycopg.Connection, messages: int, lag_s: float) -> None:
    """Store messages that were fetched so long after their arrival at Kafka."""
    raw.execute(
        'insert into traffic.raw_events (topic_no, partition, "offset", broker_timestamp, '
        "ingested_at, batch_id) select 1, 0, n, %(at)s, %(at)s + make_interval(secs => %(lag)s), 1 "
        "from generate_series(1, %(messages)s) n",
        {"at": MIDNIGHT + timedelta(hours=9), "lag": lag_s, "messages": messages},
    )


def test_a_backlog_fails_with_its_topic_and_longest_wait(
    raw: psycopg.Connection, context: CheckContext
) -> None:
    arrive(raw, 90, 0.2)
    arrive(raw, 10, 1800)
    outcome = messages_stored_in_time(context)
    assert "10 of 100 messages were stored more than 60 s after" in outcome.summary
    assert "1800.0 s" in outcome.summary
    assert outcome.sample[0]["topic"] == "raw"


def test_a_short_outage_passes(raw: psycopg.Connection, context: CheckContext) -> None:
    arrive(raw, 98, 0.2)
    arrive(raw, 2, 90)
    assert messages_stored_in_time(context).passed


def test_a_date_without_messages_is_not_evaluated(
    raw: psycopg.Connection, context: CheckContext
) -> None:
    assert not messages_stored_in_time(context).evaluated


NOON = MIDNIGHT + timedelta(hours=12)


def test_a_feed_that_is_silent_now_is_named(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("north-1", hours=(0, 11), every_s=60)
    table.add("south-1", hours=(0, 12), every_s=60)
    outcome = feeds_deliver(context_at(reader, reading, NOON))
    assert outcome.summary == "Nothing has arrived from north."
    assert outcome.sample[0]["silent for (min)"] == 61
    assert outcome.numbers == {"feeds": 2, "silent feeds": 1}


def test_a_feed_of_hours_may_be_silent_for_hours(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("hourly-1", days_ago=1, every_s=3600)
    table.add("hourly-1", hours=(0, 9), every_s=3600)
    assert feeds_deliver(context_at(reader, reading, NOON)).passed


def test_a_feed_whose_clock_is_behind_still_delivers(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("north-1", hours=(0, 11), every_s=60, delay_s="3602")
    outcome = feeds_deliver(context_at(reader, reading, NOON))
    assert outcome.passed
    assert outcome.evaluated


def test_loaded_feeds_ended_feeds_and_past_dates_do_not_count(
    table: Table, reader: psycopg.Connection, reading: Settings
) -> None:
    table.add("loaded-1", hours=(0, 11), delay_s="90000")
    table.add("ended-1", days_ago=9)
    assert not feeds_deliver(context_at(reader, reading, NOON)).evaluated
    assert not feeds_deliver(context_at(reader, reading, datetime.now(UTC))).evaluated
