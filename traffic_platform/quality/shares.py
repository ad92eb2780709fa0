"""Daily shares against their own history: when is today's a change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median

# Days of history without which nothing is a change, and messages without which a day has no share.
LEAST_DAYS = 5
LEAST_MESSAGES = 100

# (count, of how many), by date
Counts = Mapping[date, tuple[int, int]]


def usual_before(counts: Counts, days: Sequence[date]) -> float | None:
    """The usual share (0 to 1) of these days, which end with the day before, oldest first.

    It is their median, or the share of the same weekday where that was greater: a feed that is bad
    every Monday is no news on a Monday. A single bad day does not make the next one usual; a fault
    that lasts becomes usual after a week. None where too few days have enough messages.
    """
    shares = _shares(counts, days)
    if len(shares) < LEAST_DAYS:
        return None
    return max(median(shares), *_shares(counts, days[-7::-7]), 0.0)


def has_risen(count: int, of: int, usual: float, *, by: float, least: int) -> bool:
    """Whether a share is more than twice the usual one and `by` above it, in `least` cases."""
    share = count / of if of else 0.0
    return count >= least and share > 2 * usual and share > usual + by


def _shares(counts: Counts, days: Sequence[date]) -> list[float]:
    found = (counts.get(day, (0, 0)) for day in days)
    return [count / of for count, of in found if of >= LEAST_MESSAGES]
