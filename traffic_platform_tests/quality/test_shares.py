"""When a day's share is a change: single bad days, bad weekdays, and faults that last."""

from __future__ import annotations

from datetime import date, timedelta

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


def test_a_very_bad_day_does_not_hide_the_next() -> None:
    counts = counts_of(20, share=5_500) | {DAYS[21]: (10_000, 10_000), DAYS[24]: (300, 10_000)}
    assert days_that_fail(counts) == [20, 21, 24]


def test_a_feed_that_is_bad_every_monday_is_news_on_other_days_only() -> None:
    assert days_that_fail(counts_of(*range(0, 42, 7), 30)) == [30]


def test_a_weekday_with_few_messages_has_no_share() -> None:
    counts = counts_of(28) | {DAYS[21]: (9, 10), DAYS[14]: (9, 10)}
    assert days_that_fail(counts) == [28]
