"""Cost of invalid messages: an ingest run over valid events, and over mixes with hostile messages.

The legs of a round run one after another. The results are ratios within a round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import cycle

from benchmarks.race import Contestant, Leg, run_leg
from benchmarks.report import say, show, spread, write
from benchmarks.servers import running_servers
from benchmarks.stream import Swap, prefill
from traffic_platform_tests.adversaries import messages

GOAL = 0.5
"""Throughput falls by less than half for any share of bad messages."""

_WARM_UP = 100_000
_SEED = 5


@dataclass(frozen=True)
class Mix:
    """A topic in which every `every`-th message is hostile; with 0, every message is valid."""

    name: str
    every: int


GOOD, TENTH, HALF = MIXES = (Mix("good events", 0), Mix("a tenth bad", 10), Mix("half bad", 2))


def measure_adversarial(rounds: int, events: int) -> None:
    """Run `rounds` rounds with one leg per mix, then print and write the results."""
    with running_servers() as servers:
        broker = servers.kafka.bootstrap_servers
        say(f"Filling {len(MIXES)} topics with {events:,} messages each")
        for mix in MIXES:
            count = prefill(broker, _topic(mix), events, swapping(mix))
        say("Warming up")
        prefill(broker, "bench-warm-up", _WARM_UP, swapping(HALF))
        run_leg(servers, _contestant(HALF), "bench-warm-up", _WARM_UP)
        legs: list[list[Leg]] = []
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}")
            legs.append([run_leg(servers, _contestant(m), _topic(m), count) for m in MIXES])
            for leg in legs[-1]:
                say(f"  {leg.contestant:14} {leg.events_per_s:>9,.0f}/s")
        with servers.database(migrated=True) as database:
            durability = servers.require_durability(database)
    ratios = [_ratio(legs, mix) for mix in (TENTH, HALF)]
    path = write(
        "adversarial",
        {
            "postgresql": durability,
            "rate": "messages after the first commit, over the time to the last commit",
            "ratios": ratios,
            "rounds": [[asdict(leg) for leg in row] for row in legs],
        },
    )
    _show(legs, ratios)
    say(f"Written to {path}")


def swapping(mix: Mix) -> Swap | None:
    """Return the replacement of each valid event in a topic of the mix, None for valid events only.

    Messages of a mebibyte are left out, because one costs as much as 10,000 events of 108 bytes.
    """
    if not mix.every:
        return None
    bad = messages(_SEED, large_every=None)
    turns = cycle(range(mix.every))
    return lambda good: good if next(turns) else next(bad).value


def _topic(mix: Mix) -> str:
    return f"bench-{mix.name.replace(' ', '-')}"


def _contestant(mix: Mix) -> Contestant:
    ended = (
        "(select from traffic.processed_events union all"
        " select from traffic.quarantined_events) as ended"
    )
    return Contestant(mix.name, "ingest_run", stored=("traffic.raw_events", ended))


def _ratio(legs: list[list[Leg]], mix: Mix) -> dict[str, object]:
    at = MIXES.index(mix)
    ratios = [row[at].events_per_s / row[0].events_per_s for row in legs]
    return {"mix": mix.name, "other": GOOD.name, **spread(ratios), "goal": GOAL}


def _show(legs: list[list[Leg]], ratios: list[dict[str, object]]) -> None:
    rows: list[tuple[object, ...]] = []
    for column in zip(*legs, strict=True):
        rates = spread([leg.events_per_s for leg in column], 0)
        cpu = [
            spread([getattr(leg, name) for leg in column], 1)["median"]
            for name in ("postgresql_us", "broker_us", "python_us")
        ]
        others = max(leg.other_cpu_share for leg in column)
        span = f"{rates['min']:,.0f} to {rates['max']:,.0f}"
        rows.append((column[0].contestant, f"{rates['median']:,.0f}", span, *cpu, f"{others:.0%}"))
    headers = ("", "messages/s", "of rounds", "PostgreSQL", "broker", "Python", "others")
    title = "One ingest run; CPU in µs per message; others: CPU share of other programs"
    show(title, headers, rows)
    show(
        "Ratios within a round",
        ("", "median", "min", "max", "goal"),
        [
            (f"{r['mix']} / {r['other']}", r["median"], r["min"], r["max"], r["goal"])
            for r in ratios
        ],
    )
