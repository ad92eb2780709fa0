"""`traffic replay`: recorded measures as events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from traffic_platform.demo.replay import ReplayReport


def replay(
    file: Annotated[Path, typer.Argument(help="CSV file with one row per detector and interval.")],
    *,
    speed: Annotated[
        float, typer.Option(min=0, help="1: real time, 2: twice as fast, 0: as fast as possible.")
    ] = 0,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times so that the newest is of now.")
    ] = False,
    timezone: Annotated[str | None, typer.Option(help="IANA zone of times that name none.")] = None,
    interval: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds a row covers. Default: the usual gap.")
    ] = None,
    volume: Annotated[
        Literal["count", "rate"],
        typer.Option(help="Volume is vehicles in the interval, or vehicles per hour."),
    ] = "count",
    column: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=HEADER; fields: sensor, time, volume, speed, occupancy."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Default: the raw topic.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Send a recorded CSV file as events, oldest first, in all formats in turn.

    Understood without --column: detectorid, sensor_id or external_id; starttime or timestamp;
    volume; speed (mph); occupancy (percent). An empty cell is a null. Times are ISO 8601, or
    month/day/year as PORTAL writes them; PORTAL's times, which name no zone, are
    America/Los_Angeles.

    Example: traffic replay examples/portland_i205/freeway_loopdata_OneHour.csv

    Example: traffic replay counts.csv --timezone Europe/Berlin --column volume=q_pkw
    """
    headers = dict(_read_column(text) for text in column or ())
    if timezone is not None:
        _check_zone(timezone)
    from traffic_platform.cli.console import progress_bar, stop_on_signals
    from traffic_platform.demo.replay import replay as send
    from traffic_platform.settings import load_settings

    settings = load_settings()
    with stop_on_signals() as stop, progress_bar(quiet=as_json) as bar:
        task = bar.add_task("sending", total=None)
        report = send(
            settings,
            file,
            topic=topic,
            speed=speed,
            shift_to_now=shift_to_now,
            timezone=timezone,
            interval_s=interval,
            volume_unit=volume,
            headers=headers,
            stop=stop,
            progress=lambda sent, total: bar.update(task, advance=sent, total=total),
        )
    _show(report, as_json)
    if report.failed:
        from traffic_platform.errors import TransientError

        raise TransientError(f"{report.failed} events did not reach Kafka: {report.error}.")
    if not report.complete:
        from traffic_platform.cli.console import INTERRUPTED

        raise typer.Exit(INTERRUPTED)


def _read_column(text: str) -> tuple[str, str]:
    from traffic_platform.demo.recording import HEADERS

    field, equals, header = text.partition("=")
    if not equals or not header or field not in HEADERS:
        raise typer.BadParameter(f"--column {text!r} is no FIELD=HEADER with {'|'.join(HEADERS)}.")
    return field, header


def _check_zone(name: str) -> None:
    from zoneinfo import available_timezones

    if name not in available_timezones():
        raise typer.BadParameter(f"{name!r} is no IANA time zone, as America/Los_Angeles is one.")


def _show(report: ReplayReport, as_json: bool) -> None:
    from traffic_platform.cli.console import print_json, print_table, utc_text

    figures = {
        "topic": report.topic,
        "delivered": report.delivered,
        "failed": report.failed,
        **report.formats,
        "without_measures": report.empty,
        "sensors": report.sensors,
        "interval_s": report.interval_s,
        "first_timestamp": utc_text(report.first_us),
        "last_timestamp": utc_text(report.last_us),
        "seconds": round(report.seconds, 3),
    }
    if as_json:
        print_json(figures)
    else:
        print_table("", ("sent", ""), ((name.replace("_", " "), v) for name, v in figures.items()))
