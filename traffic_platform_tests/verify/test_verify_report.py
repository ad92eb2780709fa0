"""Reports of a verification, and the comparison of stored rows with decoded ones."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from traffic_platform.events.measures import Measures
from traffic_platform.events.rules import Rules
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.verify.compare import Decision, decode_again, outcome_differences
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.stale_rules import Ranges
from traffic_platform.verify.stored_rows import Outcomes, Quarantine, RawChunk
from traffic_platform.verify.verify_report import LIMIT, Finding, VerifyReport

NOON_US = 1_759_579_200_000_000
GENERATION = PartitionGeneration(1, 0, "t", 0, 3, True, "t", "id", "cluster", 3, False)


def report() -> VerifyReport:
    """Return an empty report."""
    return VerifyReport(deep=False, snapshot_at=datetime.now(UTC), rules_version="1-0")


def chunk(values: list[bytes | None], arrivals_us: list[int]) -> RawChunk:
    """Return raw rows from offset 0 on."""
    count = len(values)
    return RawChunk(
        begin=0,
        end=count,
        offset=np.arange(count, dtype=np.int64),
        values=values,
        keys=[None] * count,
        headers=[None] * count,
        broker_us=np.full(count, NOON_US),
        ingested_us=np.array(arrivals_us, dtype=np.int64),
        clamped_us=np.full(count, NOON_US),
        order_us=np.full(count, NOON_US),
    )


def decide(values: list[bytes | None], arrivals_us: list[int]) -> Decision:
    """Decode messages by the default rules."""
    rules = Rules(datetime(2010, 1, 1, tzinfo=UTC).date(), None, "UTC")
    return decode_again(StoredMessageDecoder(rules, set), chunk(values, arrivals_us))


def event(minute: int) -> bytes:
    """Return an event of 2025-10-04, 12:00 UTC plus `minute`, with a speed only."""
    stamp = f"2025-10-04T12:{minute:02}:00Z"
    return json.dumps({"sensor_id": "a", "timestamp": stamp, "speed": 50}).encode()


def altered(outcomes: Outcomes, column: str, value: Any) -> Outcomes:
    """The same with another value in the first row."""
    changed = copy.deepcopy(outcomes)
    source = changed.measures if column in Measures._fields else changed
    getattr(source, column)[0] = value
    return changed


def sentences(stored: Outcomes, quarantined: Quarantine, due: Decision) -> str:
    """Return the sentences of all differences, a line each."""
    found = outcome_differences(GENERATION, stored, quarantined, due)
    return "\n".join(finding.sentence for _, finding in found)


def test_a_finding_names_table_key_expected_and_found() -> None:
    finding = Finding("raw_events", {"topic_no": 1, "offset": 7}, "one row", "2")
    assert finding.sentence == "raw_events (topic_no 1, offset 7): expected one row; found 2."


def test_a_report_with_a_finding_does_not_hold() -> None:
    filled = report()
    assert filled.holds
    filled.add([Finding("t", {}, "a", "b")])
    assert not filled.holds
    assert filled.document()["first_difference"] == "t (): expected a; found b."


def test_a_report_takes_no_more_than_its_limit_and_says_that_there_are_more() -> None:
    filled = report()
    filled.add(Finding("t", {"row": row}, "a", "b") for row in range(LIMIT))
    assert (len(filled.findings), filled.cut) == (LIMIT, False)
    filled.add([Finding("t", {}, "a", "b")])
    assert (len(filled.findings), filled.cut) == (LIMIT, True)


@pytest.mark.parametrize("value", [event(0), event(0).replace(b"50", b"-1")])
def test_each_message_is_judged_by_its_own_arrival(value: bytes) -> None:
    an_hour_ago = NOON_US - 3_600_000_000
    decision = decide([value, event(0), event(1)], [an_hour_ago, NOON_US, NOON_US])
    assert decision.processed.offset.tolist() == [1, 2]
    reason, detail = decision.quarantined[0, 0]
    assert reason == "timestamp_in_future"
    assert "11:00" in detail


def test_no_messages_decode_to_nothing() -> None:
    decision = decide([], [])
    assert (len(decision.processed.offset), decision.quarantined) == (0, {})
    assert not sentences(decision.processed, {}, decision)


def test_equal_outcomes_do_not_differ_where_measures_are_null() -> None:
    due = decide([event(0), b"broken"], [NOON_US] * 2)
    assert np.isnan(due.processed.measures.volume).all()
    assert not sentences(due.processed, due.quarantined, due)


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("speed", 51.0, "expected speed 50.0, as decoded again; found speed 51.0."),
        ("volume", 0.0, "expected volume null, as decoded again; found volume 0.0."),
        ("volume", np.inf, "expected volume null, as decoded again; found volume inf."),
        ("format", 2, "expected format 1, as decoded again; found format 2."),
        ("timestamp_us", NOON_US + 1, "found timestamp 2025-10-04T12:00:00.000001+00:00."),
        ("timestamp_us", np.iinfo(np.int64).max, "after 1970."),
        (
            "offset",
            9,
            "offset 9, event_no 0): expected no row, as decoded again; found {'sensor_id'",
        ),
    ],
)
def test_an_altered_event_is_named_with_what_differs(column: str, value: Any, part: str) -> None:
    due = decide([event(0), event(1)], [NOON_US] * 2)
    assert part in sentences(altered(due.processed, column, value), {}, due)


def test_a_message_in_quarantine_for_another_reason_is_named() -> None:
    due = decide([event(0), None], [NOON_US] * 2)
    sentence = sentences(due.processed, {(1, 0): ("empty", "x")}, due)
    assert sentence.startswith(
        "quarantined_events (topic_no 1, partition 0, offset 1, event_no 0): expected tomb"
    )
    assert sentence.endswith("found empty: x.")


def test_ranges_know_their_offsets() -> None:
    ranges = Ranges([(2, 5), (8, 9)])
    assert [offset for offset in range(12) if offset in ranges] == [2, 3, 4, 8]
    assert 3 not in Ranges([])
