"""The check of clocks, on delays that are a clock's and on delays that are not."""

from __future__ import annotations

import pytest

from traffic_platform.quality.clocks import clocks_agree
from traffic_platform.quality.look import Look
from traffic_platform_tests.quality.conftest import Table


@pytest.mark.parametrize(
    ("delay", "said"), [("3602 + random()", "3600 s behind"), ("-119 + random()", "121 s ahead")]
)
def test_a_feed_whose_clock_is_shifted_is_named_with_its_shift(
    table: Table, look: Look, delay: str, said: str
) -> None:
    for sensor in ("a-1", "a-2", "b-1"):
        table.add_history(sensor, delay_s="2 + random()")
        table.add(sensor, delay_s="2 + random()" if sensor == "b-1" else delay)
    outcome = clocks_agree(look)
    assert not outcome.passed
    assert said in outcome.summary
    assert "a (a-1, a-2)" in outcome.summary
    assert outcome.numbers["shifted"] == 2


@pytest.mark.parametrize(
    "delay",
    [
        "2 + random()",
        "290",  # a new interval of sending
        "extract(epoch from date_trunc('day', t) + interval '25 hours' - t)",  # loaded next morning
        "case when extract(hour from t) < 9 then 3600 * (9 - extract(hour from t)) else 2 end",
    ],
)
def test_small_changes_outages_and_data_loaded_later_are_no_clock(
    table: Table, look: Look, delay: str
) -> None:
    table.add_history("a-1")
    table.add("a-1", delay_s=delay)
    outcome = clocks_agree(look)
    assert outcome.passed, outcome.summary
    assert outcome.evaluated


def test_a_feed_that_always_arrives_an_hour_later_passes(table: Table, look: Look) -> None:
    table.add_history("a-1", delay_s="3600 + random()")
    table.add("a-1", delay_s="3600 + random()")
    assert clocks_agree(look).passed


def test_two_days_of_history_are_no_habit(table: Table, look: Look) -> None:
    table.add_history("a-1", days=2)
    table.add("a-1", delay_s="3602")
    outcome = clocks_agree(look)
    assert outcome.passed
    assert not outcome.evaluated
