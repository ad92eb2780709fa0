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

    `sample` holds at most SAMPLE_ROWS rows; their values are what psycopg makes of them.
    """

    passed: bool
    summary: str
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    sample: Sequence[Row] = ()
