"""`traffic produce`: send a realistic synthetic feed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from traffic_platform.cli.console import load_settings
from traffic_platform.cli.options import Json, TargetTopic

if TYPE_CHECKING:
    from traffic_platform.demo.produce import FeedReport, FeedRequest

_Start: TypeAlias = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        metavar="TIME",
        help="Time of the first events, in UTC unless it has an offset.",
    ),
]


def produce(
    *,
    rate: Annotated[
        float, typer.Option(min=0, help="Events per second; 0: as fast as possible.")
    ] = 0,
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of events. Default: until ctrl-C.")
    ] = None,
    feed_format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="Message format of the events; mixed: all in turn."
        ),
    ] = "mixed",
    sensors: Annotated[
        int, typer.Option(min=1, max=100_000, help="Number of synthetic sensors.")
    ] = 60,
    interval: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds that a reading covers.")
    ] = 20,
    start: _Start = None,
    repeat_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of events that repeat an earlier one.")
    ] = 0,
    broken_share: Annotated[
        float, typer.Option(min=0, max=0.4, help="Share of messages that are invalid.")
    ] = 0,
    topic: TargetTopic = None,
    as_json: Json = False,
) -> None:
    """Send a synthetic feed as events.

    It simulates detectors along a road, with rush hours, queues and shock waves. With --rate,
    events have the current time. Without it, they cover the time until now. The sensors are called
    synthetic-… and are registered with their first event.

    Example: traffic produce --rate 500 --count 10000

    Example: traffic produce --count 1000000 --sensors 1000 --repeat-share 0.01
    """
    from datetime import UTC

    from traffic_platform.cli.sent_events import check_delivery
    from traffic_platform.demo.feed import MIXED
    from traffic_platform.demo.produce import FeedRequest
    from traffic_platform.events.formats import FORMATS

    names = (*(form.name for form in FORMATS), MIXED)
    if feed_format not in names:
        raise typer.BadParameter(f"Unknown format {feed_format!r}. Use {', '.join(names)}.")
    if count is None and not rate:
        raise typer.BadParameter("--count is needed without --rate.")
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
    check_delivery(report)


def _send(request: FeedRequest, topic: str | None, *, quiet: bool) -> FeedReport:
    from traffic_platform.cli.console import progress_bar, stop_on_signals
    from traffic_platform.demo.produce import produce as send

    with stop_on_signals() as stop, progress_bar(quiet=quiet) as bar:
        task = bar.add_task("Sending", total=request.count)
        return send(
            load_settings(),
            request,
            topic=topic,
            stop=stop,
            progress=lambda sent: bar.advance(task, sent),
        )


def _show(report: FeedReport, as_json: bool) -> None:
    from traffic_platform.cli.console import moment
    from traffic_platform.cli.sent_events import show_totals

    figures = {
        "topic": report.topic,
        "delivered": report.delivered,
        "failed": report.failed,
        **report.kinds,
        "sensors": report.sensors,
        "first_timestamp": moment(report.first_us),
        "last_timestamp": moment(report.last_us),
        "seconds": round(report.seconds, 3),
        "events_per_second": round(report.delivered / max(report.seconds, 1e-9)),
    }
    show_totals(figures, as_json)
