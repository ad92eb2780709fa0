"""Growth of Dagster's own database while events flow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.report import say
from benchmarks.running_stack import Stack
from benchmarks.steady import Plan, SteadyStream

# Start-up writes rows once, and the first pages of a table are not continuous growth.
_LEAD_SECONDS = 600.0
_DATABASE = "select pg_database_size(current_database())"
_TABLES = "select relname, pg_total_relation_size(relid), n_tup_ins from pg_stat_user_tables"


def measure_storage(stack: Stack, rate: float, minutes: float) -> dict[str, Any]:
    """Stream for `minutes` (an ingest run takes twenty) and extrapolate to a day.

    Sizes are in bytes and do not include WAL. Dagster's old ticks and runs are deleted each day, so
    the growth of the first day is the upper bound.
    """
    endpoints = stack.endpoints
    seconds = _LEAD_SECONDS + minutes * 60 + 30  # the stream must not end before the measurement
    plan = Plan(endpoints.kafka_bootstrap_servers, stack.settings.raw_topic, rate, seconds)
    with SteadyStream(plan), psycopg.connect(endpoints.dagster_url, autocommit=True) as connection:
        say(f"Streaming {rate:,.0f} events/s for {minutes + _LEAD_SECONDS / 60:.0f} minutes")
        time.sleep(_LEAD_SECONDS)
        before, started = _read_sizes(connection), time.monotonic()
        time.sleep(minutes * 60)
        after, hours = _read_sizes(connection), (time.monotonic() - started) / 3600
    grown = after.database - before.database
    return {
        "events_per_s": rate,
        "minutes": minutes,
        "bytes": grown,
        "bytes_per_hour": round(grown / hours),
        "mb_per_day": round(grown / hours * 24 / 1e6, 2),
        "tables": _differences(before, after),
        "bytes_before": before.database,
    }


@dataclass(frozen=True)
class _Sizes:
    """Bytes of the database, and for each table its bytes (with indexes) and inserted rows."""

    database: int
    tables: dict[str, tuple[int, int]]


def _read_sizes(connection: psycopg.Connection[Any]) -> _Sizes:
    row = connection.execute(_DATABASE).fetchone()
    assert row is not None
    tables = connection.execute(_TABLES).fetchall()
    return _Sizes(int(row[0]), {name: (size, inserted) for name, size, inserted in tables})


def _differences(before: _Sizes, after: _Sizes) -> dict[str, dict[str, int]]:
    """Return the growth in bytes and rows of each table that has changed."""
    found: dict[str, dict[str, int]] = {}
    for name, (size, inserted) in sorted(after.tables.items()):
        size_before, inserted_before = before.tables.get(name, (0, 0))
        if (size, inserted) != (size_before, inserted_before):
            found[name] = {"bytes": size - size_before, "rows": inserted - inserted_before}
    return found
