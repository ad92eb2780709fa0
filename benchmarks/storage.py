"""How fast Dagster's own database grows while events flow."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from benchmarks.report import say
from benchmarks.running_stack import Stack
from benchmarks.steady import Plan, SteadyStream

_LEAD_SECONDS = 120.0  # start-up writes rows that no later hour writes again
_TABLES = ("event_logs", "runs", "run_tags", "job_ticks")


def measure_storage(stack: Stack, rate: float, minutes: float) -> dict[str, Any]:
    """Stream for `minutes` (a window is ten) and extrapolate. Sizes in bytes, WAL not counted.

    Ticks and old runs are purged by the day, so a first day is the upper bound.
    """
    endpoints = stack.endpoints
    seconds = _LEAD_SECONDS + minutes * 60 + 30  # until this measurement has ended, and some
    plan = Plan(endpoints.kafka_bootstrap_servers, stack.settings.raw_topic, rate, seconds)
    with SteadyStream(plan), psycopg.connect(endpoints.dagster_url, autocommit=True) as connection:
        say(f"Streaming {rate:,.0f} events/s for {minutes + _LEAD_SECONDS / 60:.0f} minutes")
        time.sleep(_LEAD_SECONDS)
        before, started = _look(connection), time.monotonic()
        time.sleep(minutes * 60)
        after, hours = _look(connection), (time.monotonic() - started) / 3600
    grown = after["bytes"] - before["bytes"]
    return {
        "events_per_s": rate,
        "minutes": minutes,
        "bytes": grown,
        "bytes_per_hour": round(grown / hours),
        "mb_per_day": round(grown / hours * 24 / 1e6, 2),
        "rows": {name: after[name] - before[name] for name in _TABLES},
        "bytes_before": before["bytes"],
    }


def _look(connection: psycopg.Connection[Any]) -> dict[str, int]:
    sizes = {"bytes": _number(connection, "select pg_database_size(current_database())")}
    return sizes | {name: _number(connection, f"select count(*) from {name}") for name in _TABLES}


def _number(connection: psycopg.Connection[Any], query: Any) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
