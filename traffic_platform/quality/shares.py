"""Daily shares against their own history: when is today's a change?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

# Days of history without which nothing is a change, and messages without which a day has no share.
LEAST_DAYS = 5
LEAST_MESSAGES = 100

# (count, of how many), by date
Counts = Mapping[date, tuple[int, int]]


def worst_before(counts: Counts, days: Sequence[date]) -> float | None:
    """The greatest share of these days (0 to 1); None where too few of them have enough messages.

    The worst and not the mean: a feed that is bad every Monday is no news on a Monday.
    """
    shares = [
        count / of
        for count, of in (counts.get(day, (0, 0)) for day in days)
        if of >= LEAST_MESSAGES
    ]
    return max(shares) if len(shares) >= LEAST_DAYS else None


def has_risen(count: int, of: int, worst: float, *, by: float, least: int) -> bool:
    """Whether a share is more than twice the worst before and `by` above it, in `least` cases."""
    share = count / of if of else 0.0
    return count >= least and share > 2 * worst and share > worst + by
