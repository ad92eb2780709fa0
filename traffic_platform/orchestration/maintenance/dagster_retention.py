"""Retention of Dagster's own records.

Dagster purges only ticks by itself (`retention:` in dagster.yaml). A continuous stream with one
writer adds, per day (measured):

- ticks of the offset sensor: 86,400 / 25 = 3,456, 1.7 kB each: 5.8 MB
- ingest runs: 72 (one ends every 1,200 s), 19 kB each: 1.4 MB
- materializations: at most 3 reports per run, 3 tables, 1 or 2 dates, 1.9 kB each: 1.2 to 2.5 MB
- publisher runs: 24 (one ends every hour) of 19 kB, with 4 reports of 1.9 kB each: 0.6 MB
- checks: at most 49 runs, 18 kB each: 0.9 MB; results, 4 kB each, of 5 checks of tables and 12 of
  each changed date, every four hours and when they change: 0.4 to 1.0 MB
- detector health: one run for three dates, 19 kB and 3 kB for each date: 0.03 MB
- schedules: 48 + 24 + 24 ticks, 1.7 kB each, and 24 runs of this job, 12 kB each: 0.5 MB
- maintenance: one or two runs of 12 kB: 0.02 MB

Together these are 8 to 10 MB, of which RUN_DAYS days are kept (ticks: 1 day).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString

import psycopg
from dagster import DagsterInstance

from traffic_platform.statements import statement

# Older runs, events and check results are deleted, unless they hold the state of a date or check.
RUN_DAYS: Final = 3
# A run of the job deletes at most this many runs (about 20 ms each); the next hour continues.
RUNS_A_PASS: Final = 2_000


@dataclass(frozen=True)
class Purged:
    """Numbers of deleted records."""

    runs: int
    events: int
    check_rows: int


def purge(instance: DagsterInstance, connection: psycopg.Connection[Any], now: datetime) -> Purged:
    """Delete records older than RUN_DAYS, except the newest results of dates and checks.

    `connection` is to Dagster's database, in autocommit. Runs in progress are never touched.
    """
    runs = expendable_runs(connection, now)
    for run_id in runs:
        # Dagster deletes from all its tables but leaves check rows behind; see below.
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return Purged(
        runs=len(runs),
        events=_delete(connection, "orchestration/expire_events", now),
        check_rows=_delete(connection, "orchestration/expire_check_rows", now),
    )


def expendable_runs(connection: psycopg.Connection[Any], now: datetime) -> list[str]:
    """Return ids of runs older than RUN_DAYS that hold no newest result, oldest first."""
    rows = connection.execute(
        statement("orchestration/expendable_runs"),
        {"ended_before": _limit(now), "most": RUNS_A_PASS},
    )
    return [row[0] for row in rows.fetchall()]


def _delete(connection: psycopg.Connection[Any], name: LiteralString, now: datetime) -> int:
    row = connection.execute(statement(name), {"written_before": _limit(now)}).fetchone()
    return row[0] if row else 0


def _limit(now: datetime) -> datetime:
    # Dagster stores timestamps in UTC without a zone.
    return now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=RUN_DAYS)
