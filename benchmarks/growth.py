"""Throughput with growing tables, which should stay constant.

Five million rows take minutes, and a machine's speed drifts in that time by more than the expected
difference. So the benchmark fills the tables first. Then legs into these tables and legs into new
tables alternate, and the ratio within a turn counts.
"""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.race import run_leg, run_leg_into
from benchmarks.report import say, show, spread, write
from benchmarks.servers import running_servers
from benchmarks.stream import SENSORS, prefill
from benchmarks.throughput import ONE

LEG = 300_000  # events, a multiple of SENSORS
_TURNS = 7


def measure_growth(events: int) -> None:
    """Fill tables with `events` events (a multiple of SENSORS), then compare them with new ones."""
    with running_servers() as servers, servers.database(migrated=True) as large:
        bootstrap = servers.kafka.bootstrap_servers
        say(f"Filling tables with {events:,} events")
        prefill(bootstrap, "growth", events)
        filling = run_leg_into(servers, large, ONE, "growth", events)
        say(f"  {filling.events_per_s:,.0f}/s. {_TURNS} turns of {LEG:,} events")
        turns: list[dict[str, object]] = []
        for turn in range(_TURNS):
            topic, before = f"turn-{turn}", events + turn * LEG
            prefill(bootstrap, topic, LEG, first=before // SENSORS)
            grown = run_leg_into(servers, large, ONE, topic, LEG, before)
            new = run_leg(servers, ONE, topic, LEG)
            turns.append(
                {
                    "rows_before": before,
                    "grown": asdict(grown),
                    "new": asdict(new),
                    "rate": round(grown.events_per_s / new.events_per_s, 3),
                    "postgresql": round(grown.postgresql_us / new.postgresql_us, 3),
                }
            )
            say(f"  {grown.events_per_s:>9,.0f}/s into {before:,} rows, {new.events_per_s:,.0f}/s")
    ratios = {name: spread([float(str(turn[name])) for turn in turns]) for name in _RATIOS}
    path = write("growth", {"events": events, "ratios": ratios, "turns": turns})
    show(
        f"Tables of {events:,} rows and more / new tables, within a turn",
        ("", "median", "min", "max"),
        [(title, *ratios[name].values()) for name, title in _RATIOS.items()],
    )
    say(f"Written to {path}")


_RATIOS = {"rate": "events per second", "postgresql": "PostgreSQL's CPU time per event"}
