"""`traffic produce`: a realistic synthetic feed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traffic_platform.demo.produce import FeedReport, FeedRequest


_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def produce(
    *,
    rate: Annotated[
        float, typer.Option(min=0, help="Events a second; 0: as fast as possible.")
    ] = 0,
    count: Annotated[
        int | None, typer.Option(min=1, help="Events to send; without it until ctrl-C.")
    ] = None,
    feed_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="Message format of the events; mixed: all in turn."
        ),
    ] = "mixed",
    sensors: Annotated[int, typer.Option(min=1, max=100_000, help="Synthetic sensors.")] = 60,
    interval: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds that a reading covers.")
    ] = 20,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=_TIMES,
            metavar="TIME",
            help="Time of the first events; UTC if it has no offset.",
        ),
    ] = None,
    repeat_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Part of the events that repeat an earlier one.")
    ] = 0,
    broken_share: Annotated[
        float, typer.Option(min=0, max=0.4, help="Part of the events that cannot be read.")
    ] = 0,
    topic: Annotated[str | None, typer.Option(help="Default: the raw topic.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Send a synthetic feed: detectors along a road, rush hours, queues and their waves.

    With --rate, events are of now; without it, they are of the time before now, so that the last
    one has just ended. Sensors are called synthetic-… and registered when first seen.

    Example: traffic produce --rate 500 --count 10000

    Example: traffic produce --count 1000000 --sensors 1000 --repeat-share 0.01
    """
    from datetime import UTC

    from traffic_platform.demo.feed import MIXED
    from traffic_platform.demo.produce import FeedRequest
    from traffic_platform.events.formats import FORMATS

    names = (*(form.name for form in FORMATS), MIXED)
    if feed_format not in names:
        raise typer.BadParameter(f"Unknown format {feed_format!r}. Use {', '.join(names)}.")
    if count is None and not rate:
        raise typer.BadParameter("--count is needed when there is no --rate.")
    request = FeedRequest(
        count=count,
        rate=rate or None,
        feed_format=feed_format,
        sensors=sensors,
        repeat_share=repeat_share,
        broken_share=broken_share,
        start=start.replace(tzinfo=UTC) if start and start.tzinfo is None else start,
        interval_s=interval,
    )
    report = _send(request, topic, quiet=as_json)
    _show(report, as_json)
    if report.failed:
        from traffic_platform.errors import TransientError

        raise TransientError(f"{report.failed} events did not reach Kafka: {report.error}.")
    if not report.complete:
        from traffic_platform.cli.console import INTERRUPTED

        raise typer.Exit(INTERRUPTED)


def _send(request: FeedRequest, topic: str | None, *, quiet: bool) -> FeedReport:
    from traffic_platform.cli.console import progress_bar, stop_on_signals
    from traffic_platform.demo.produce import produce as send
    from traffic_platform.settings import load_settings

    with stop_on_signals() as stop, progress_bar(quiet=quiet) as bar:
        task = bar.add_task("sending", total=request.count)
        return send(
            load_settings(),
            request,
            topic=topic,
            stop=stop,
            progress=lambda sent: bar.advance(task, sent),
        )


def _show(report: FeedReport, as_json: bool) -> None:
    from traffic_platform.cli.console import print_json, print_table, utc_text

    figures = {
        "topic": report.topic,
        "delivered": report.delivered,
        "failed": report.failed,
        **report.kinds,
        "sensors": report.sensors,
        "first_timestamp": utc_text(report.first_us) or None,
        "last_timestamp": utc_text(report.last_us) or None,
        "seconds": round(report.seconds, 3),
        "events_per_second": round(report.delivered / max(report.seconds, 1e-9)),
    }
    if as_json:
        print_json(figures)
    else:
        print_table("", ("sent", ""), ((name.replace("_", " "), v) for name, v in figures.items()))
