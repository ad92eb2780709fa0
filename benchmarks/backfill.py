"""Speed of the backfill of a week, from raw to roll-ups: over complete and over empty tables."""

from __future__ import annotations

import resource
import time
from datetime import date, timedelta
from typing import Any

import psycopg

from benchmarks.contestants.ingest_run import settings_of
from benchmarks.live_stream import live_stream
from benchmarks.race import Task
from benchmarks.report import say, show, write
from benchmarks.rollups import DAYS, MONDAY, send_week
from benchmarks.servers import running_servers
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.reprocess import backfill_dates
from traffic_platform.rollups import TABLES, recompute, roll_up_all
from traffic_platform.rollups.beside_ingest import open_connection
from traffic_platform.settings import Settings

_SENSORS = 500  # of the live stream
DATES = [MONDAY.date() + timedelta(days=day) for day in range(DAYS)]


def measure_backfill() -> None:
    """Store a week of two million readings and backfill it: nothing missing, then everything."""
    with running_servers() as servers, servers.database(migrated=True) as database:
        sent = send_week(servers, "week")
        say(f"Storing {sent:,} events of a week")
        owner_url = servers.postgres.url("traffic_owner", database)
        task = Task(
            bootstrap_servers=servers.kafka.bootstrap_servers,
            owner_url=owner_url,
            ingest_url=servers.postgres.url("traffic_ingest", database),
            topic="week",
            group="bench-week",
            events=sent,
        )
        settings = settings_of(task)
        _store(settings)
        findings: dict[str, Any] = {"events": sent}
        with psycopg.connect(owner_url, autocommit=True) as owner, open_connection(settings) as by:
            say("Rolling it up")
            # Otherwise the live stream of a later leg would roll up the week.
            while roll_up_all(settings).left:
                pass
            owner.execute("vacuum analyze")
            say("Backfilling it")
            findings["nothing differs"] = _backfill(settings, by)
            say(f"Nothing differs: {findings['nothing differs']}")
            with live_stream(servers, database, "week", _SENSORS):
                findings["beside a live stream"] = _backfill(settings, by)
            say(f"Beside a live stream: {findings['beside a live stream']}")
            for table in ("processed_events", "traffic_readings", *TABLES):
                owner.execute(f"truncate traffic.{table}")  # pyright: ignore
            findings["everything but raw missing"] = _backfill(settings, by)
            say(f"Everything but raw missing: {findings['everything but raw missing']}")
            findings["one date"] = _one_date(settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    findings["peak memory of the backfill (MB)"] = round(peak)
    rows = [(name, str(value)) for name, value in findings.items()]
    show("Backfill of a week, raw to roll-ups; goal 50,000 readings/s", ("", ""), rows)
    say(f"Written to {write('backfill', findings)}")


def _store(settings: Settings) -> None:
    run_ingest(
        settings,
        ["week"],
        limits=RunLimits(seconds=3600, idle_seconds=60, until_caught_up=True),
        run_id=None,
        stop=lambda: False,
    )


def _backfill(settings: Settings, by: psycopg.Connection[Any]) -> dict[str, Any]:
    began = time.monotonic()
    report = backfill_dates(settings, DATES)
    backfilled = time.monotonic()
    recompute(by, DATES)
    ended = time.monotonic()
    bounds = (DATES[0], DATES[-1] + timedelta(days=1))
    row = by.execute(
        'select count(*) from traffic.traffic_readings where "timestamp" between %s and %s', bounds
    ).fetchone()
    assert row is not None
    return {
        "readings": row[0],
        "readings_per_s": round(row[0] / (ended - began)),
        "backfill_s": round(backfilled - began, 1),
        "dates_s": [day.seconds for day in report.dates],
        "roll_ups_s": round(ended - backfilled, 1),
        "rows_changed": report.changes,
    }


def _one_date(settings: Settings) -> dict[str, Any]:
    began = time.monotonic()
    report = backfill_dates(settings, [date.fromisoformat("2025-10-08")])
    return {"seconds": round(time.monotonic() - began, 1), **report.dates[0].figures()}
