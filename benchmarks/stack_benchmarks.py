"""Benchmarks of a running stack: latency, memory, recovery, publishing, Dagster's storage."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import Any

from benchmarks.latency import measure_first_row, measure_latency
from benchmarks.memory import PeakMemory, by_name, read_memory, total
from benchmarks.recovery import measure_publishing, measure_recovery
from benchmarks.report import say, show, write
from benchmarks.running_stack import Stack, running_stack, wait_until
from benchmarks.storage import measure_storage
from benchmarks.stream import fill

_RECOVERY_EVENTS = 300_000
_PUBLISHED_EVENTS = 100_000
_BACKLOG = 200_000  # events at once: an ingest run at full load for some seconds
_DRAIN_SECONDS = 300.0
_RUNS_END_SECONDS = 180.0  # a run ends after a minute without a message


def measure_stack(wanted: AbstractSet[str], *, rate: float, seconds: float, minutes: float) -> None:
    """Run the benchmarks in `wanted` on one stack."""
    say("Starting a stack")
    with running_stack() as stack:
        say(f"`traffic up` in an empty home: {stack.up_seconds:.1f} s")
        if wanted & {"latency", "memory"}:
            _measure_stream(stack, wanted, rate, seconds)
        if "recovery" in wanted:
            _report_recovery(measure_recovery(stack, _RECOVERY_EVENTS))
        if "publishing" in wanted:
            _report_publishing(measure_publishing(stack, _PUBLISHED_EVENTS))
        if "storage" in wanted:
            storage = measure_storage(stack, rate, minutes)
            path = write("storage", {"dagster_storage": storage, "goal_mb_per_day": 20})
            say(f"Dagster's storage grows {storage['mb_per_day']} MB per day (goal 20). {path}")


def _measure_stream(stack: Stack, wanted: AbstractSet[str], rate: float, seconds: float) -> None:
    """Measure latency and memory with the same stream."""
    idle = read_memory(stack)
    first = measure_first_row(stack)
    with PeakMemory(stack) as steady_peak:
        latency = measure_latency(stack, rate, seconds)
    if "latency" in wanted:
        _report_latency(stack, first, latency)
    if "memory" in wanted:
        _report_memory(stack, rate, idle, steady_peak)


def _report_latency(stack: Stack, first: dict[str, float], latency: dict[str, Any]) -> None:
    findings = {
        "up_s": round(stack.up_seconds, 1),
        "idle_to_first_row": {**first, "goal_s": 8},
        "produce_to_visible_row": {**latency, "goal_p50_ms": 250, "goal_p99_ms": 1000},
    }
    path = write("latency", findings)
    rows = [
        ("idle stack to the first row, s", first["first_row_s"], "8"),
        ("idle stack to all ten rows, s", first["ten_rows_s"], "8"),
        ("produce to visible row, p50, ms", latency["p50_ms"], "250"),
        ("produce to visible row, p99, ms", latency["p99_ms"], "1000"),
        ("produce to visible row, max, ms", latency["max_ms"], ""),
    ]
    title = f"Latency at {latency['events_per_s']:.0f} events/s, {latency['events']:,} events"
    show(title, ("", "measured", "goal"), rows)
    say(f"Written to {path}")


def _report_recovery(findings: dict[str, Any]) -> None:
    path = write("recovery", {**findings, "goal_s": 8})
    killed = {
        "ingest run killed, s": findings["ingest_run_killed_s"],
        "with its standby, s": findings["ingest_run_and_standby_killed_s"],
    }
    rows = [
        (title, *(seconds[name] for name in ("median", "min", "max")), 8)
        for title, seconds in killed.items()
    ]
    title = "From SIGKILL to the next committed batch, at 5,000 events/s"
    show(title, ("", "median", "min", "max", "goal"), rows)
    say(f"All rows match the messages; `verify --deep` found no difference. Written to {path}")


def _report_publishing(findings: dict[str, Any]) -> None:
    path = write("publishing", findings)
    kills = findings["publisher_killed_s"]
    say(
        f"{findings['seen_once']:,} events, each read once from the clean stream. Publishing"
        f" continued {kills['median']} s after a kill (median; {kills['max']} s at most)."
        f" `verify --deep` found no difference. Written to {path}"
    )


def _report_memory(stack: Stack, rate: float, idle: list[Any], steady_peak: PeakMemory) -> None:
    with PeakMemory(stack) as full_peak:
        drained = _drain_backlog(stack)
    wait_until(stack.is_idle, _RUNS_END_SECONDS, "ingest runs that end without messages")
    idle_again = read_memory(stack)
    findings = {
        "idle": {**total(idle), "by_name": by_name(idle), "goal_mb": 2500},
        "idle_after_load": {**total(idle_again), "by_name": by_name(idle_again)},
        "steady": {"events_per_s": rate, **steady_peak.findings()},
        "full_load": {**drained, **full_peak.findings(), "goal_run_mb": 500},
        "processes_idle": [asdict(process) for process in idle],
    }
    path = write("memory", findings)
    full = full_peak.findings()["largest_process"]
    steady = steady_peak.findings()["largest_process"]
    before, after = by_name(idle), by_name(idle_again)
    rows = [
        (
            name,
            before.get(name, {}).get("pss_mb", ""),
            after.get(name, {}).get("pss_mb", ""),
            steady.get(name, {}).get("rss_mb", ""),
            full.get(name, {}).get("rss_mb", ""),
        )
        for name in sorted({*before, *after, *full, *steady})
    ]
    rows.append(
        ("all (goal: idle 2,500)", total(idle)["pss_mb"], total(idle_again)["pss_mb"], "", "")
    )
    headers = (
        "MB",
        "idle, PSS",
        "idle after load",
        f"largest at {rate:.0f}/s, RSS",
        "at full load",
    )
    show("Memory by service; the goal for a run at full load is 500", headers, rows)
    say(f"Written to {path}")


def _drain_backlog(stack: Stack) -> dict[str, float]:
    """Send a backlog at once and wait until it is stored. Return its events and the seconds."""
    with stack.reader() as reader:

        def delivered() -> int:
            row = reader.execute("select sum(delivered) from traffic.micro_batches").fetchone()
            return int(row[0]) if row and row[0] else 0

        before, started = delivered(), time.monotonic()
        sent = fill(stack.endpoints.kafka_bootstrap_servers, stack.settings.raw_topic, _BACKLOG)
        wait_until(lambda: delivered() >= before + sent, _DRAIN_SECONDS, "a drained backlog")
        return {"events": sent, "seconds_with_sending": round(time.monotonic() - started, 1)}
