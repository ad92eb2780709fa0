"""Events per second from a prefilled topic: the platform's ingest runs and usual consumers.

The legs of a round run one after another, and so do the rounds. A machine that slows down then
slows every contestant, and the results are ratios within a round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from benchmarks.race import Contestant, Leg, run_leg
from benchmarks.report import say, show, spread, write
from benchmarks.servers import Servers, running_servers
from benchmarks.stream import SENSORS, prefill

_PLATFORM_TABLES = ("traffic.raw_events", "traffic.processed_events", "traffic.traffic_readings")

ONE = Contestant("one writer, three tables", "ingest_run", stored=_PLATFORM_TABLES)
TWO = Contestant("two writers, three tables", "ingest_run", writers=2, stored=_PLATFORM_TABLES)
READINGS = Contestant(
    "one writer, readings only", "readings_only", stored=("traffic.traffic_readings",)
)
PUBLISHED = Contestant(
    "one writer, and publishing", "published", writers=2, stored=_PLATFORM_TABLES
)
BATCHED = Contestant(
    "aiokafka, SQLAlchemy, 500 a batch", "batched", platform_schema=False, stored=("readings",)
)
ROW_BY_ROW = Contestant(
    "aiokafka, SQLAlchemy, row by row", "row_by_row", platform_schema=False, stored=("readings",)
)
CONTESTANTS = (ONE, PUBLISHED, TWO, READINGS, BATCHED, ROW_BY_ROW)


@dataclass(frozen=True)
class Goal:
    """A ratio to reach: `contestant` has at least `times` the rate of `other`."""

    contestant: Contestant
    other: Contestant
    times: float


GOALS = (
    Goal(ONE, BATCHED, 2.5),
    Goal(TWO, BATCHED, 3.5),
    Goal(READINGS, BATCHED, 5.0),
    Goal(PUBLISHED, ONE, 0.6),
    Goal(ONE, ROW_BY_ROW, 45.0),
)

_WARM_UP = {ONE: 100_000, BATCHED: 20_000, ROW_BY_ROW: 1_000}
_LEG_SECONDS = {ONE: 10.0, BATCHED: 8.0, ROW_BY_ROW: 6.0}
# Ten batches of an ingest run. The first does not count, and must be a small part of the leg.
_FEWEST = {ONE: 200_000, BATCHED: 20_000, ROW_BY_ROW: 2_000}


def measure_throughput(rounds: int, events: int | None) -> None:
    """Run `rounds` rounds, then print and write the results.

    Each leg of the platform reads `events` events; with None, as many as take about ten seconds.
    """
    with running_servers() as servers:
        counts = _counts(servers, events)
        topic = "bench"
        say(f"Filling a topic with {counts[ONE]:,} events")
        prefill(servers.kafka.bootstrap_servers, topic, counts[ONE])
        legs: list[list[Leg]] = []
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}")
            legs.append([run_leg(servers, each, topic, counts[each]) for each in CONTESTANTS])
            for leg in legs[-1]:
                say(f"  {leg.contestant:36} {leg.events_per_s:>9,.0f}/s")
        with servers.database(migrated=True) as database:
            durability = servers.require_durability(database)
    path = write(
        "throughput",
        {
            "postgresql": durability,
            "rate": "events after every writer's first commit, over the time to the last commit",
            "summary": _summary(legs),
            "ratios": _ratios(legs),
            "rounds": [[asdict(leg) for leg in row] for row in legs],
        },
    )
    _show(legs)
    say(f"Written to {path}")


def _counts(servers: Servers, events: int | None) -> dict[Contestant, int]:
    """Return the number of events for each contestant, from a warm-up that also fills caches."""
    say("Warming up")
    topic = "bench-warm-up"
    prefill(servers.kafka.bootstrap_servers, topic, _WARM_UP[ONE])
    counts: dict[Contestant, int] = {}
    for contestant, warm_up in _WARM_UP.items():
        rate = run_leg(servers, contestant, topic, warm_up).events_per_s
        wanted = max(_FEWEST[contestant], int(rate * _LEG_SECONDS[contestant]))
        counts[contestant] = -(-wanted // SENSORS) * SENSORS
    platform = -(-(events or counts[ONE]) // SENSORS) * SENSORS
    teams = {contestant: min(platform, counts[contestant]) for contestant in (BATCHED, ROW_BY_ROW)}
    return dict.fromkeys((ONE, PUBLISHED, TWO, READINGS), platform) | teams


def _by_contestant(legs: list[list[Leg]]) -> list[list[Leg]]:
    return [list(column) for column in zip(*legs, strict=True)]


def _summary(legs: list[list[Leg]]) -> dict[str, dict[str, object]]:
    measures = (
        "events_per_s",
        "postgresql_us",
        "broker_us",
        "python_us",
        "peak_rss_mb",
        "other_cpu_share",
    )
    return {
        column[0].contestant: {
            "events": column[0].events,
            **{name: spread([getattr(leg, name) for leg in column]) for name in measures},
        }
        for column in _by_contestant(legs)
    }


def _ratios(legs: list[list[Leg]]) -> list[dict[str, object]]:
    rates = [{leg.contestant: leg.events_per_s for leg in row} for row in legs]
    return [
        {
            "contestant": goal.contestant.name,
            "other": goal.other.name,
            **spread([row[goal.contestant.name] / row[goal.other.name] for row in rates]),
            "goal": goal.times,
        }
        for goal in GOALS
    ]


def _show(legs: list[list[Leg]]) -> None:
    rows: list[tuple[object, ...]] = []
    for column in _by_contestant(legs):
        rates = spread([leg.events_per_s for leg in column], 0)
        cpu = [
            spread([getattr(leg, name) for leg in column], 1)["median"]
            for name in ("postgresql_us", "broker_us", "python_us")
        ]
        others = max(leg.other_cpu_share for leg in column)
        rows.append(
            (
                column[0].contestant,
                column[0].events,
                f"{rates['median']:,.0f}",
                f"{rates['min']:,.0f} to {rates['max']:,.0f}",
                *cpu,
                f"{others:.0%}",
            )
        )
    headers = ("", "events", "events/s", "of rounds", "PostgreSQL", "broker", "Python", "others")
    show("Throughput; CPU in µs per event; others: CPU share of other programs", headers, rows)
    show(
        "Ratios within a round",
        ("", "median", "min", "max", "goal"),
        [
            (f"{r['contestant']} / {r['other']}", r["median"], r["min"], r["max"], r["goal"])
            for r in _ratios(legs)
        ],
    )
