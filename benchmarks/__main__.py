"""Command line of `python -m benchmarks`, which `make bench` runs."""

from __future__ import annotations

import signal
import sys
from enum import StrEnum
from typing import Annotated

import typer

from benchmarks.adversarial import measure_adversarial
from benchmarks.backfill import measure_backfill
from benchmarks.checks import measure_checks
from benchmarks.growth import LEG, measure_growth
from benchmarks.queries import measure_queries
from benchmarks.rollups import measure_rollups
from benchmarks.serving import measure_serving
from benchmarks.stack_benchmarks import measure_stack
from benchmarks.stream import SENSORS
from benchmarks.throughput import measure_throughput

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Benchmark(StrEnum):
    """Names of the benchmarks; `all` selects every one."""

    THROUGHPUT = "throughput"
    ADVERSARIAL = "adversarial"
    LATENCY = "latency"
    MEMORY = "memory"
    RECOVERY = "recovery"
    PUBLISHING = "publishing"
    STORAGE = "storage"
    GROWTH = "growth"
    CHECKS = "checks"
    ROLLUPS = "rollups"
    BACKFILL = "backfill"
    QUERIES = "queries"
    SERVING = "serving"
    ALL = "all"


_OWN_SERVERS = {
    Benchmark.THROUGHPUT,
    Benchmark.ADVERSARIAL,
    Benchmark.GROWTH,
    Benchmark.CHECKS,
    Benchmark.ROLLUPS,
    Benchmark.BACKFILL,
    Benchmark.QUERIES,
    Benchmark.SERVING,
    Benchmark.ALL,
}
_ON_A_STACK = set(Benchmark) - _OWN_SERVERS
_DEFAULT = (Benchmark.THROUGHPUT, Benchmark.LATENCY, Benchmark.MEMORY)


@app.command()
def main(
    benchmarks: Annotated[
        list[Benchmark] | None,
        typer.Argument(help="Default: throughput, latency and memory, less than ten minutes."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of the compared legs.")] = 3,
    events: Annotated[
        int | None,
        typer.Option(
            min=100_000,
            help="Events per leg. Default: about ten seconds of work; 200,000 for adversarial.",
        ),
    ] = None,
    growth_events: Annotated[
        int, typer.Option(min=LEG, help="Rows in the large tables of growth.")
    ] = 5_000_000,
    rate: Annotated[float, typer.Option(help="Events per second of the steady stream.")] = 500,
    seconds: Annotated[
        float, typer.Option(help="Length of the latency measurement and of each leg of serving.")
    ] = 60,
    minutes: Annotated[
        float,
        typer.Option(min=20, help="Length of the storage measurement; an ingest run takes 20."),
    ] = 60,
) -> None:
    """Measure the platform on this machine, and write the results to benchmarks/results too."""
    # An exception ends the servers that the benchmark started.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    wanted = set(benchmarks or _DEFAULT)
    if Benchmark.ALL in wanted:
        wanted = set(Benchmark)
    if Benchmark.THROUGHPUT in wanted:
        measure_throughput(rounds, events)
    if Benchmark.ADVERSARIAL in wanted:
        measure_adversarial(rounds, events or 200_000)
    on_stack = wanted & _ON_A_STACK
    if on_stack:
        measure_stack({str(one) for one in on_stack}, rate=rate, seconds=seconds, minutes=minutes)
    if Benchmark.GROWTH in wanted:
        measure_growth(growth_events // SENSORS * SENSORS)
    if Benchmark.CHECKS in wanted:
        measure_checks()
    if Benchmark.ROLLUPS in wanted:
        measure_rollups(rounds)
    if Benchmark.BACKFILL in wanted:
        measure_backfill()
    if Benchmark.QUERIES in wanted:
        measure_queries()
    if Benchmark.SERVING in wanted:
        measure_serving(seconds)


if __name__ == "__main__":
    app()
