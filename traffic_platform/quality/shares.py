"""Comparison of a daily share with its own history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median

# Fewer days of history are not compared, and a day with fewer messages has no share.
LEAST_DAYS = 5
LEAST_MESSAGES = 100

# (count, of how many), by date
Counts = Mapping[date, tuple[int, int]]


def usual_before(counts: Counts, days: Sequence[date]) -> float | None:
    """Return the usual share (0 to 1) of these days, which end with the day before, oldest first.

    It is their median, or the share of the same weekday if that is greater: a feed that is bad
    every Monday is not news on a Monday. A single bad day does not change the usual share; a fault
    that lasts becomes usual after a week. None if too few days have enough messages.
    """
    shares = _shares(counts, days)
    if len(shares) < LEAST_DAYS:
        return None
    return max(median(shares), *_shares(counts, days[-7::-7]), 0.0)


def has_risen(count: int, of: int, usual: float, *, by: float, least: int) -> bool:
    """Return True if a share is over twice the usual one and `by` above it, in `least` cases."""
    share = count / of if of else 0.0
    return count >= least and share > 2 * usual and share > usual + by


def _shares(counts: Counts, days: Sequence[date]) -> list[float]:
    found = (counts.get(day, (0, 0)) for day in days)
    return [count / of for count, of in found if of >= LEAST_MESSAGES]
