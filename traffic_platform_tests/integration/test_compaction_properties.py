"""Properties of any compacted audit: one row counts each batch, and its figures add up."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from traffic_platform.maintenance.compact_audit import compact_audit
from traffic_platform.settings import Settings

BEGIN = datetime(2026, 1, 1, 22, tzinfo=UTC)
NOW = BEGIN + timedelta(days=2, hours=3)
COLUMNS = (
    "batch_id topic_no partition first_offset next_offset delivered raw processed quarantined"
    " inserted updated unchanged superseded order_floor event_dates date_counts"
    " rules_version run_id kind committed_at"
)

# The differences between two batches: the gap of their numbers (a negative one descends), the
# length, minutes until the commit, rules, run, lost offsets, a
# reprocessing in between, and whether order times are kept from here on.
STEP = st.tuples(
    st.sampled_from([1, 1, 1, 2, 7, -4]),
    st.sampled_from([1, 1, 3, 0]),
    st.sampled_from([0, 1, 20, 61]),
    st.sampled_from(["r1", "r1", "r1", "r2"]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([0, 0, 0, 5]),
    st.booleans(),
    st.booleans(),
)


def audit_rows(steps: list[Any]) -> list[dict[str, Any]]:
    """Return audit rows of one partition generation, with reprocessing among them."""
    number, offset, time, kept = 100, 0, BEGIN, False
    rows: dict[int, dict[str, Any]] = {}
    for ascent, length, minutes, rules, run, gap, reprocessed, keeps in steps:
        kept |= keeps
        number, offset = number + ascent, offset + gap
        time += timedelta(minutes=minutes)
        while number in rows:
            number += 1
        day = date(2025, 10, 1 + number % 3)
        counts = {"raw": length, "processed": length, "quarantined": 0}
        rows[number] = {
            "batch_id": number,
            "topic_no": 1,
            "partition": 0,
            "first_offset": offset,
            "next_offset": offset + length,
            "delivered": length,
            "raw": length,
            "processed": length,
            "quarantined": 0,
            "inserted": length // 3,
            "updated": 0,
            "unchanged": 0,
            "superseded": length - length // 3,
            "order_floor": BEGIN + timedelta(seconds=offset) if kept else None,
            "event_dates": [day] if length else [],
            "date_counts": json.dumps({day.isoformat(): counts} if length else {}),
            "rules_version": rules,
            "run_id": run,
            "kind": "ingest",
            "committed_at": time,
        }
        offset += length
        if reprocessed and number + 1 not in rows:
            rows[number + 1] = rows[number] | {
                "batch_id": number + 1,
                "kind": "reprocess",
                "order_floor": None,
            }
    return list(rows.values())


def store(owner: psycopg.Connection, audit: list[dict[str, Any]]) -> None:
    """Write these audit rows, and a ledger row of their generation."""
    owner.execute("truncate traffic.topics restart identity cascade")
    owner.execute(
        "insert into traffic.topics (name, kafka_topic_id, cluster_id) values ('t', 'i', 'c')"
    )
    owner.execute(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)"
        " values (1, 0, 't', 0, 1000000)"
    )
    columns = COLUMNS.split()
    names, values = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    with owner.cursor() as cursor:
        cursor.executemany(f"insert into traffic.micro_batches ({names}) values ({values})", audit)  # pyright: ignore


def read(owner: psycopg.Connection) -> list[dict[str, Any]]:
    """Return the stored audit rows."""
    with owner.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute("select * from traffic.micro_batches order by batch_id").fetchall()


@examples(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEP, max_size=30), at_a_time=st.sampled_from([2, 5, 1000]))
def test_every_batch_is_counted_in_one_row_that_may_count_it(
    settings: Settings, owner: psycopg.Connection, steps: list[Any], at_a_time: int
) -> None:
    audit = audit_rows(steps)
    store(owner, audit)
    silent = settings.model_copy(update={"publish": False})
    done = compact_audit(owner, silent, NOW, rows_at_a_time=at_a_time)
    after = read(owner)
    assert len(audit) - len(after) == done.rows - done.into
    assert sum(row["batches"] for row in after) == len(audit)
    for batch in audit:
        [row] = [
            row
            for row in after
            if row["batch_id"] <= batch["batch_id"] <= (row["last_batch_id"] or row["batch_id"])
        ]
        assert row["kind"] == batch["kind"]
        assert row["rules_version"] == batch["rules_version"]
        assert row["first_offset"] <= batch["first_offset"]
        assert row["next_offset"] >= batch["next_offset"]
        assert set(batch["event_dates"]) <= set(row["event_dates"])
        assert row["run_id"] == batch["run_id"] or row["batches"] > 1
        assert batch["run_id"] in [None, row["run_id"], *(row["run_ids"] or [])]
        hour = {"minute": 0, "second": 0, "microsecond": 0}
        assert row["committed_at"].replace(**hour) == batch["committed_at"].replace(**hour)
        if row["batches"] > 1:
            assert row["first_committed_at"] <= batch["committed_at"] <= row["committed_at"]
            assert batch["committed_at"] < (NOW - timedelta(days=2)).replace(**hour)
    for row in after:
        within = [
            batch
            for batch in audit
            if row["batch_id"] <= batch["batch_id"] <= (row["last_batch_id"] or row["batch_id"])
        ]
        assert row["batches"] == len(within)
        for name in ("delivered", "raw", "processed", "inserted", "superseded"):
            assert row[name] == sum(batch[name] for batch in within)
        assert {within[0]["order_floor"] is None} == {b["order_floor"] is None for b in within}
        assert row["order_floor"] == min(
            (b["order_floor"] for b in within if b["order_floor"]), default=None
        )
        assert row["next_offset"] - row["first_offset"] == sum(b["raw"] for b in within)
        assert row["event_dates"] == sorted(map(date.fromisoformat, row["date_counts"]))
        for day, counts in row["date_counts"].items():
            assert counts["raw"] == sum(
                json.loads(batch["date_counts"]).get(day, {"raw": 0})["raw"] for batch in within
            )
    assert compact_audit(owner, silent, NOW).rows == 0
