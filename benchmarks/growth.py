"""Throughput while the tables grow: it should stay flat."""

from __future__ import annotations

from benchmarks.race import Commits, run_for_commits
from benchmarks.report import say, show, spread, write
from benchmarks.servers import running_servers
from benchmarks.stream import prefill
from benchmarks.throughput import ONE

SLICE = 500_000


def measure_growth(events: int) -> None:
    """Let one writer drain `events` events (a multiple of SLICE) into new tables."""
    with running_servers() as servers:
        say(f"Filling a topic with {events:,} events")
        prefill(servers.kafka.bootstrap_servers, "growth", events)
        say("Draining it")
        (commits,) = run_for_commits(servers, ONE, "growth", events)
    rates = slice_rates(commits)
    slices = [
        {"rows": (number + 1) * SLICE, "events_per_s": round(rate, 1)}
        for number, rate in enumerate(rates)
    ]
    first, last = rates[0], rates[-1]
    findings = {
        "events": events,
        "events_per_s": spread(rates, 1),
        "last_to_first": round(last / first, 3),
        "slices": slices,
    }
    path = write("growth", findings)
    rows = [(f"{item['rows']:,}", f"{item['events_per_s']:,.0f}") for item in slices]
    show("Throughput of one writer while the tables grow", ("rows", "events/s"), rows)
    say(f"The last slice is {last / first:.2f} times as fast as the first.\nWritten to {path}")


def slice_rates(commits: Commits) -> list[float]:
    """Events a second of each SLICE events. The first begins with the first commit."""
    rates: list[float] = []
    total, (since, counted) = 0, commits[0]
    for moment, events in commits:
        total += events
        if total >= (len(rates) + 1) * SLICE:
            rates.append((total - counted) / (moment - since))
            since, counted = moment, total
    return rates
