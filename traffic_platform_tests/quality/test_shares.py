"""Days whose share is a change: single bad days, bad weekdays, and faults that last."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from traffic_platform.quality.shares import has_risen, usual_before

MONDAY = date(2025, 9, 1)
DAYS = [MONDAY + timedelta(days=number) for number in range(42)]


def days_that_fail(counts: dict[date, tuple[int, int]]) -> list[int]:
    """The numbers of the days (from 14 on) whose share is a change."""
    return [
        number
        for number in range(14, len(DAYS))
        if (usual := usual_before(counts, DAYS[number - 14 : number])) is not None
        and has_risen(*counts[DAYS[number]], usual, by=0.01, least=10)
    ]


def counts_of(*bad: int, share: int = 1_000) -> dict[date, tuple[int, int]]:
    """20 of 10,000 on each day, `share` of them on the bad ones."""
    return {day: (share if number in bad else 20, 10_000) for number, day in enumerate(DAYS)}


def test_a_fault_that_lasts_fails_for_a_week() -> None:
    assert days_that_fail(counts_of(*range(20, 42))) == list(range(20, 27))


def test_a_day_without_messages_has_no_share() -> None:
    """Five of the days before are compared, and four are too few."""
    counts = dict.fromkeys(DAYS[:4], (5, 100))
    assert usual_before(counts, DAYS[:14]) is None
    assert usual_before(counts | {DAYS[4]: (0, 99)}, DAYS[:14]) is None
    assert usual_before(counts | {DAYS[4]: (5, 100)}, DAYS[:14]) == 0.05


def test_the_same_weekday_is_the_usual_one_where_it_is_worse() -> None:
    counts = dict.fromkeys(DAYS[:14], (1, 100)) | {DAYS[7]: (9, 100), DAYS[0]: (8, 100)}
    assert usual_before(counts, DAYS[:14]) == 0.09
    assert usual_before(counts | {DAYS[7]: (1, 100)}, DAYS[:14]) == 0.08


@pytest.mark.parametrize(
    ("count", "of", "usual", "risen"),
    [
        (10, 100, 0.04, True),
        (9, 100, 0.04, False),  # under the least number of cases
        (10, 100, 0.05, False),  # twice the usual share is not over it
        (10, 125, 0.0625, False),  # 0.0175 above it, but not twice
        (16, 1_000, 0.004, True),
        (10, 1_000, 0.0, False),  # 0.01 above it is not over 0.01
        (11, 1_000, 0.0, True),
        (10, 0, 0.0, False),
    ],
)
def test_a_share_rises_beyond_each_of_its_limits(
    count: int, of: int, usual: float, risen: bool
) -> None:
    assert has_risen(count, of, usual, by=0.01, least=10) is risen


def test_a_very_bad_day_does_not_hide_the_next() -> None:
    counts = counts_of(20, share=5_500) | {DAYS[21]: (10_000, 10_000), DAYS[24]: (300, 10_000)}
    assert days_that_fail(counts) == [20, 21, 24]


def test_a_feed_that_is_bad_every_monday_is_news_on_other_days_only() -> None:
    assert days_that_fail(counts_of(*range(0, 42, 7), 30)) == [30]


def test_a_weekday_with_few_messages_has_no_share() -> None:
    counts = counts_of(28) | {DAYS[21]: (9, 10), DAYS[14]: (9, 10)}
    assert days_that_fail(counts) == [28]


@pytest.mark.parametrize(
    ("days", "messages", "usual"), [(5, 100, 0.02), (4, 100, None), (5, 99, None)]
)
def test_the_usual_share_needs_five_days_of_a_hundred_messages(
    days: int, messages: int, usual: float | None
) -> None:
    counts = dict.fromkeys(DAYS[:days], (2, messages))
    assert usual_before(counts, DAYS[:14]) == usual


@pytest.mark.parametrize(
    ("bad", "usual"),
    [
        ([1, 2, 4, 8, 16, 3, 5, 7, 0, 0, 0, 0, 0, 0], 0.07),  # the same weekday last week
        ([9, 2, 4, 8, 16, 3, 5, 7, 0, 0, 0, 0, 0, 0], 0.09),  # and the week before
        ([0, 2, 4, 8, 16, 3, 5, 0, 3, 3, 3, 3, 3, 3], 0.03),  # the median
    ],
)
def test_the_usual_share_is_the_median_or_that_of_the_weekday_if_greater(
    bad: list[int], usual: float
) -> None:
    counts = {day: (count, 100) for day, count in zip(DAYS, bad, strict=False)}
    assert usual_before(counts, DAYS[:14]) == usual


@pytest.mark.parametrize(
    ("count", "of", "usual", "by", "risen"),
    [
        (10, 100, 0.02, 0.01, True),
        (9, 90, 0.02, 0.01, False),  # fewer cases than `least`
        (10, 80, 0.0625, 0.03125, False),  # exactly twice the usual share
        (11, 80, 0.0625, 0.03125, True),
        (10, 80, 0.03125, 0.09375, False),  # exactly `by` above the usual share
        (11, 80, 0.03125, 0.09375, True),
    ],
)
def test_a_share_has_risen_beyond_twice_the_usual_one_and_the_margin(
    count: int, of: int, usual: float, by: float, *, risen: bool
) -> None:
    assert has_risen(count, of, usual, by=by, least=10) is risen


def test_without_messages_no_share_has_risen() -> None:
    assert not has_risen(0, 0, 0.0, by=0.01, least=0)
