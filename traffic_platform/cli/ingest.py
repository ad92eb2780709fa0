"""`traffic ingest --once`: store the messages that Kafka holds, without Dagster."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from traffic_platform.cli import console
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from traffic_platform.ingest.partition_sums import PartitionSums
    from traffic_platform.ingest.totals import IngestTotals
    from traffic_platform.monitoring.lag import LagReader

_LONGEST_SECONDS = 24 * 3600.0


def ingest(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when all current messages are stored.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ingest the messages that Kafka holds now, without Dagster.

    The messages are stored and rolled up. If another ingest run holds the same partitions, the
    command ends when that run has stored the messages. Ctrl-C and SIGTERM finish or roll back the
    current batch. During an outage of PostgreSQL or Kafka it retries for two minutes, then ends
    with exit code 1. Nothing is left half done, and the next call resumes.

    Example: traffic ingest --once --json
    """
    if not once:
        raise typer.BadParameter("Add --once. To ingest continuously, run `traffic up`.")
    from traffic_platform.ingest.drain import RunLimits, run_ingest
    from traffic_platform.ingest.partition_sums import read_partition_sums
    from traffic_platform.monitoring.lag import LagReader
    from traffic_platform.rollups import BackgroundRollups
    from traffic_platform.settings import load_settings

    settings = load_settings()
    topics = settings.ingest_topics
    limits = RunLimits(_LONGEST_SECONDS, settings.ingest_run_idle_seconds, until_caught_up=True)
    with console.stop_on_signals() as stop:
        with BackgroundRollups(settings, last_seconds=_LONGEST_SECONDS) as rollups:
            with console.progress_bar(quiet=as_json) as bar:
                task = bar.add_task("Storing", total=_read_lag(LagReader(settings), topics))
                totals = run_ingest(
                    settings,
                    topics,
                    limits=limits,
                    run_id=None,
                    stop=stop.is_set,
                    report=lambda done: bar.advance(task, done.delivered),
                    report_seconds=0.5,
                    stored=rollups.stored,
                )
            if stop.is_set():
                rollups.hurry()
        sums = read_partition_sums(settings, totals)
        _show(totals, sums, as_json)
        if stop.is_set():
            raise typer.Exit(console.INTERRUPTED)


def _read_lag(reader: LagReader, topics: Sequence[str]) -> int | None:
    """Return the number of messages to store; None in an outage, which the ingest run retries."""
    from traffic_platform.errors import TransientError

    with suppress(TransientError), closing(reader):
        console.report_holders(reader.holders(topics), "ingest", "drains these topics")
        return sum(lag.lag for lag in reader.read(topics))
    return None


def _show(totals: IngestTotals, sums: list[PartitionSums], as_json: bool) -> None:
    from dataclasses import asdict

    figures = {
        name: getattr(totals, name)
        for name in (
            *("batches", "delivered", "raw", "processed", "quarantined", "echoes"),
            *("inserted", "updated", "unchanged", "superseded", "lag"),
        )
    }
    dates = [
        {
            "date": day.isoformat(),
            "raw": counts.raw,
            "processed": counts.processed,
            "quarantined": counts.quarantined,
            "first_event": console.utc_text(counts.first_event_us) or None,
            "last_event": console.utc_text(counts.last_event_us) or None,
        }
        for day, counts in sorted(totals.dates.items())
    ]
    partitions = [asdict(row) for row in sums]
    if as_json:
        console.print_json({**figures, "partitions": partitions, "dates": dates})
        return
    console.print_table("", figures, [figures.values()])
    if partitions:
        console.print_table("By partition", partitions[0], [row.values() for row in partitions])
        console.print_table("By event date", dates[0], [row.values() for row in dates])
