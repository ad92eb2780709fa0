"""The diagnoses again, one reading at a time and in exact arithmetic, from their definition.

Written from docs/detector-health.md without the code of the package, to be compared with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

Measured = tuple[float, int | None, float | None]  # seconds since 05:00, volume, occupancy


def scalar_diagnosis(readings: Sequence[Measured], interval_s: int, *, rural: bool = False) -> str:
    """Diagnosis of a past day of a sensor that delivered before; `readings` lie in the 17 hours."""
    if not readings:
        return "no_data"
    if too_few(readings, interval_s):
        return "insufficient_data"
    occupancies = [occupancy for _, _, occupancy in readings if occupancy is not None]
    if not occupancies:
        return "not_evaluated"
    if share([o == 0 for o in occupancies]) > Fraction(90 if rural else 59, 100):
        return "card_off"
    if share([o > 70 for o in occupancies]) > Fraction(20, 100):
        return "high_value"
    pairs = [(v, o) for _, v, o in readings if v is not None and o is not None]
    if share([v == 0 and o > 0 for v, o in pairs]) > Fraction(2, 100):
        return "intermittent"
    if share([v > 0 and o == 0 for v, o in pairs]) > Fraction(50, 100):
        return "intermittent"
    if longest_row(readings) >= 48:
        return "constant"
    return "good"


def too_few(readings: Sequence[Measured], interval_s: int) -> bool:
    """Whether fewer samples came than 60 % of those that a whole day has."""
    has_volume = any(v is not None for _, v, _ in readings)
    has_occupancy = any(o is not None for _, _, o in readings)
    samples = 0
    for _, volume, occupancy in readings:
        if has_volume and volume is None:
            continue
        if has_occupancy and occupancy is None and volume != 0:
            continue
        samples += 1
    expected = (17 * 3600) // interval_s
    return Fraction(samples, expected) < Fraction(60, 100)


def share(marks: Sequence[bool]) -> Fraction:
    """Return the share of marks that are set, None without marks."""
    return Fraction(sum(marks), len(marks)) if marks else Fraction(0)


def longest_row(readings: Sequence[Measured]) -> int:
    """Most 5-minute means of occupancy in a row that are the same, and not 0."""
    samples: defaultdict[int, list[Fraction]] = defaultdict(list)
    for second, _, occupancy in readings:
        if occupancy is not None:
            samples[int(second // 300)].append(Fraction(occupancy))
    longest = length = 0
    last: Fraction | None = None
    for number in sorted(samples):
        mean = sum(samples[number], Fraction(0)) / len(samples[number])
        length = 0 if mean == 0 else length + 1 if mean == last else 1
        last = mean
        longest = max(longest, length)
    return longest
