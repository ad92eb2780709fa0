"""The result of evaluating a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Failed rows shown at most. With this many, there may be more.
SAMPLE_ROWS = 20

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The result: passed or not, a summary in one sentence, figures, and failed rows.

    `sample` holds at most SAMPLE_ROWS rows of the same columns, with values as psycopg returns
    them. `evaluated` is False without data or without enough history; such an outcome passes, and
    the summary names the gap. `broken` is True if the check itself could not run; it then fails,
    and the summary says why. `named_by` are the columns that name the subject of a row (a sensor, a
    feed, a partition); empty if other names in the next sample would not be news.
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
        """The subjects of the sample, each once; None if it does not name all of them."""
        if self.passed or not self.named_by or len(self.sample) >= SAMPLE_ROWS:
            return None
        found = [
            [str(row[name]) for name in self.named_by if row.get(name) is not None]
            for row in self.sample
        ]
        return list(dict.fromkeys("/".join(names) for names in found)) if all(found) else None


def not_evaluated(why: str, numbers: Mapping[str, int | float] | None = None) -> Outcome:
    """Return an outcome that passes for lack of data or of history."""
    return Outcome(True, f"Not evaluated: {why}.", numbers or {}, evaluated=False)


def named(names: Sequence[str], most: int = 5) -> str:
    """Format names for a sentence: all of a few, or the first ones and how many more."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
