"""The check of clocks, on delays that a clock causes and on delays that it does not."""

from __future__ import annotations

import pytest

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.clocks import clocks_agree
from traffic_platform_tests.quality.conftest import Table


@pytest.mark.parametrize(
    ("delay", "expected"),
    [("3602 + random()", "3600 s behind"), ("-119 + random()", "121 s ahead")],
)
def test_a_feed_whose_clock_is_shifted_is_named_with_its_shift(
    table: Table, context: CheckContext, delay: str, expected: str
) -> None:
    for sensor in ("a-1", "a-2", "b-1"):
        table.add_history(sensor, delay_s="2 + random()")
        table.add(sensor, delay_s="2 + random()" if sensor == "b-1" else delay)
    outcome = clocks_agree(context)
    assert not outcome.passed
    assert expected in outcome.summary
    assert "a (a-1, a-2)" in outcome.summary
    assert outcome.numbers["shifted"] == 2


@pytest.mark.parametrize(
    "delay",
    [
        "2 + random()",
        "290",  # a new interval of sending
        "extract(epoch from date_trunc('day', t) + interval '25 hours' - t)",  # loaded next morning
        "extract(epoch from date_trunc('day', t) + interval '10 days' - t)",  # and much later
        "case when extract(hour from t) < 9 then 3600 * (9 - extract(hour from t)) else 2 end",
    ],
)
def test_small_changes_outages_and_data_loaded_later_pass(
    table: Table, context: CheckContext, delay: str
) -> None:
    table.add_history("a-1")
    table.add("a-1", delay_s=delay)
    outcome = clocks_agree(context)
    assert outcome.passed, outcome.summary
    assert outcome.evaluated


def test_a_feed_that_always_arrives_an_hour_later_passes(
    table: Table, context: CheckContext
) -> None:
    table.add_history("a-1", delay_s="3600 + random()")
    table.add("a-1", delay_s="3600 + random()")
    assert clocks_agree(context).passed


@pytest.mark.parametrize(
    ("days", "delay", "fails"),
    [
        (10, "3602 + random()", True),
        (11, "3602 + random()", False),
        (10, "-119 + random()", True),
        (11, "-119 + random()", False),
    ],
)
def test_a_wrong_clock_fails_until_it_was_wrong_on_most_days_before(
    table: Table, context: CheckContext, days: int, delay: str, fails: bool
) -> None:
    for days_ago in range(1, 15):
        table.add("a-1", days_ago=days_ago, delay_s=delay if days_ago <= days else "2 + random()")
    table.add("a-1", delay_s=delay)
    outcome = clocks_agree(context)
    assert outcome.evaluated
    assert outcome.passed is not fails


def test_a_clock_that_is_right_again_passes(table: Table, context: CheckContext) -> None:
    for days_ago in range(1, 15):
        table.add("a-1", days_ago=days_ago, delay_s="3602" if days_ago < 8 else "2")
    table.add("a-1", delay_s="2")
    assert clocks_agree(context).passed


def test_data_that_is_always_loaded_later_is_not_compared(
    table: Table, context: CheckContext
) -> None:
    loaded = "extract(epoch from date_trunc('day', t) + interval '25 hours' - t)"
    table.add_history("a-1", delay_s=loaded)
    table.add("a-1", delay_s="90000")
    assert not clocks_agree(context).evaluated


def test_two_days_of_history_are_not_compared(table: Table, context: CheckContext) -> None:
    table.add_history("a-1", days=2)
    table.add("a-1", delay_s="3602")
    outcome = clocks_agree(context)
    assert outcome.passed
    assert not outcome.evaluated
