"""Results as tables for people and JSON files for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine

RESULTS = Path(__file__).with_name("results")
_WIDTH = 120  # without a terminal, rich would cut tables at 80 columns


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Return median, minimum and maximum."""
    return {
        "median": round(median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the percentile of sorted values by nearest rank; `share` is between 0 and 1."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def write(benchmark: str, findings: Mapping[str, object]) -> Path:
    """Write the findings and a description of the machine to a new file. Return its path."""
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{benchmark}-{now:%Y%m%dT%H%M%SZ}.json"
    document = {
        "benchmark": benchmark,
        "measured_at": now.isoformat(timespec="seconds"),
        "machine": describe_machine(),
        **findings,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def show(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; every column except the first holds numbers."""
    say(f"\n{title}")  # rich would break its own title at the table's width
    table = Table(box=None, pad_edge=False)
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    Console(width=_WIDTH, highlight=False).print(table)


def say(text: str) -> None:
    """Print a line."""
    Console(width=_WIDTH, highlight=False).print(text)
