"""What evaluating a check returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Rows that fail are shown up to this many; the numbers say how many there are, or that there may
# be more.
SAMPLE_ROWS = 20

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Whether the property holds, in one sentence, with figures and failing rows.

    `sample` holds at most SAMPLE_ROWS rows of the same columns; their values are what psycopg makes
    of them. `evaluated` is False where there was nothing to look at, or too little history to judge
    by; such an outcome passes, and the sentence says what is missing. `broken` is True where the
    check itself could not be carried out; it does not pass then, and the sentence says why.
    `named_by` are the columns of the sample that say what a row is about (a sensor, a feed, a
    partition); none, where other names in the next sample would be no news.
    """

    passed: bool
    summary: str
    numbers: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    sample: Sequence[Row] = ()
    evaluated: bool = True
    broken: bool = False
    named_by: Sequence[str] = ("sensor",)

    @property
    def affected(self) -> list[str] | None:
        """What the sample is about, each once; None where it does not name all, or nothing does."""
        if self.passed or not self.named_by or len(self.sample) >= SAMPLE_ROWS:
            return None
        found = [
            [str(row[name]) for name in self.named_by if row.get(name) is not None]
            for row in self.sample
        ]
        return list(dict.fromkeys("/".join(names) for names in found)) if all(found) else None


def not_evaluated(why: str, numbers: Mapping[str, int | float] | None = None) -> Outcome:
    """An outcome that passes because there is nothing to judge, or to judge by."""
    return Outcome(True, f"Not evaluated: {why}.", numbers or {}, evaluated=False)


def named(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence: all of a few, else the first and how many more."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
