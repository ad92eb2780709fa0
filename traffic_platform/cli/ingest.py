"""`traffic ingest --once`: drain what is there, without Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from traffic_platform.ingest.partition_sums import PartitionSums
    from traffic_platform.ingest.totals import IngestTotals
    from traffic_platform.monitoring.lag import LagReader
    from traffic_platform.settings import Settings

_LONGEST_SECONDS = 24 * 3600.0


def ingest(
    *,
    once: Annotated[bool, typer.Option("--once", help="End when what is there is stored.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what it did as JSON.")] = False,
) -> None:
    """Store what Kafka holds now, without Dagster, roll it up, and say what was done.

    Beside a window that is draining the same partitions it ends when that one has stored what was
    there. Ctrl-C and SIGTERM finish or roll back
    the batch in hand. While PostgreSQL or Kafka is away it waits for two minutes, then ends with
    exit code 1; nothing is half done then, and the next call goes on.

    Example: traffic ingest --once --json
    """
    if not once:
        raise typer.BadParameter("Say --once; `traffic up` is what ingests all the time.")
    from traffic_platform.cli.console import INTERRUPTED, stop_on_signals
    from traffic_platform.ingest.partition_sums import read_partition_sums
    from traffic_platform.rollups import BackgroundRollups
    from traffic_platform.settings import load_settings

    settings = load_settings()
    topics = settings.ingest_topics
    with stop_on_signals() as stop:
        with BackgroundRollups(settings, last_seconds=_LONGEST_SECONDS) as folds:
            totals = _drain(settings, topics, stop, folds.stored, quiet=as_json)
            if stop.is_set():
                folds.hurry()
        sums = read_partition_sums(settings, totals)
        _show(totals, sums, as_json)
        if stop.is_set():
            raise typer.Exit(INTERRUPTED)


def _drain(
    settings: Settings,
    topics: Sequence[str],
    stop: Event,
    stored: Callable[[], None],
    *,
    quiet: bool,
) -> IngestTotals:
    from traffic_platform.cli.console import progress_bar
    from traffic_platform.ingest.drain import RunLimits, run_ingest
    from traffic_platform.monitoring.lag import LagReader

    limits = RunLimits(
        seconds=_LONGEST_SECONDS,
        idle_seconds=settings.ingest_run_idle_seconds,
        until_caught_up=True,
    )
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("storing", total=_look_ahead(LagReader(settings), topics))
        return run_ingest(
            settings,
            topics,
            limits=limits,
            run_id=None,
            stop=stop.is_set,
            report=lambda done: bar.advance(task, done.delivered),
            report_seconds=0.5,
            stored=stored,
        )


def _look_ahead(reader: LagReader, topics: Sequence[str]) -> int | None:
    """Messages to store, for the bar; None while a server is away, which the window waits for."""
    from traffic_platform.cli.console import say_whom_we_wait_for
    from traffic_platform.errors import TransientError

    try:
        say_whom_we_wait_for(reader.holders(topics), "ingest", "drains these topics")
        return sum(lag.lag for lag in reader.read(topics))
    except TransientError:
        return None
    finally:
        reader.close()


def _show(totals: IngestTotals, sums: list[PartitionSums], as_json: bool) -> None:
    from dataclasses import asdict

    from traffic_platform.cli.console import print_json, print_table, utc_text

    figures = {
        name: getattr(totals, name)
        for name in (
            *("batches", "delivered", "raw", "processed", "quarantined", "echoes"),
            *("inserted", "updated", "unchanged", "lag"),
        )
    }
    dates = [
        {
            "date": day.isoformat(),
            "raw": counts.raw,
            "processed": counts.processed,
            "quarantined": counts.quarantined,
            "first_event": utc_text(counts.first_event_us) or None,
            "last_event": utc_text(counts.last_event_us) or None,
        }
        for day, counts in sorted(totals.dates.items())
    ]
    partitions = [asdict(row) for row in sums]
    if as_json:
        print_json({**figures, "partitions": partitions, "dates": dates})
        return
    print_table("", figures, [figures.values()])
    if partitions:
        print_table("By partition", partitions[0], [row.values() for row in partitions])
        print_table("By event date", dates[0], [row.values() for row in dates])
