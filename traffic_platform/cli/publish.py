"""`traffic publish`: publish the stored events without Dagster."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

import typer

from traffic_platform.cli import console
from traffic_platform.cli.options import Json, Once

if TYPE_CHECKING:
    from traffic_platform.settings import Settings

_LONGEST_SECONDS = 24 * 3600.0


def publish(
    *,
    once: Once = False,
    as_json: Json = False,
) -> None:
    """Publish the stored events, without Dagster.

    Each event of the raw topic is published to the clean stream once, even if processes are killed.
    The command ends when all events stored at its start are published. While another publisher
    runs, the command waits for it, and takes over when it ends. During an outage of PostgreSQL or
    Kafka it retries for two minutes, then ends with exit code 1. The next call resumes.

    To publish continuously, run `traffic up`.

    Example: traffic publish --json
    """
    del once
    from traffic_platform.errors import PermanentError
    from traffic_platform.monitoring.lag import LagReader
    from traffic_platform.publish.publisher import run_publisher
    from traffic_platform.run_clock import RunLimits

    settings = console.load_settings()
    if not settings.publish and settings.quarantine_topic is None:
        raise PermanentError("Nothing is published: TRAFFIC_PUBLISH is off. Set it to true.")
    limits = RunLimits(_LONGEST_SECONDS, settings.ingest_run_idle_seconds, until_caught_up=True)
    with console.stop_on_signals() as stop:
        _report_other_publisher(settings)
        with console.progress_bar(quiet=as_json) as bar:
            task = bar.add_task("Publishing", total=None)
            totals = run_publisher(
                settings,
                limits=limits,
                run_id=None,
                stop=stop.is_set,
                report=lambda done: bar.advance(task, done.messages),
                report_seconds=0.5,
            )
        figures = {name: getattr(totals, name) for name in ("events", "replays", "quarantined")}
        with closing(LagReader(settings)) as reader:
            figures["lag"] = reader.publication_lag().total  # another publisher may be running
        if as_json:
            console.print_json(figures)
        else:
            console.print_table("", ("published", ""), figures.items())
        if stop.is_set():
            raise typer.Exit(console.INTERRUPTED)


def _report_other_publisher(settings: Settings) -> None:
    from traffic_platform.errors import TransientError
    from traffic_platform.monitoring.lag import LagReader

    # The publisher itself retries an outage of PostgreSQL.
    with suppress(TransientError), closing(LagReader(settings)) as reader:
        console.report_holders(reader.publishers(), "publish", "publishes")
