"""`traffic replay`: send a recorded file as events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from traffic_platform.cli.console import load_settings
from traffic_platform.cli.options import Json, TargetTopic

if TYPE_CHECKING:
    from traffic_platform.demo.replay import ReplayReport

_Interval: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0.001, help="Seconds that a row covers. Default: the most frequent gap."),
]
_Volume: TypeAlias = Annotated[
    Literal["count", "rate"],
    typer.Option(help="count: vehicles in the interval. rate: vehicles per hour."),
]
_Column: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="FIELD=HEADER; fields: sensor, time, volume, speed, occupancy."),
]


def replay(
    file: Annotated[
        Path, typer.Argument(help="CSV file with a row for each detector and interval.")
    ],
    *,
    speed: Annotated[
        float, typer.Option(min=0, help="1: real time, 2: twice as fast, 0: as fast as possible.")
    ] = 0,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Shift all times so that the newest is now.")
    ] = False,
    timezone: Annotated[
        str | None, typer.Option(help="IANA time zone of times without a zone.")
    ] = None,
    interval: _Interval = None,
    volume: _Volume = "count",
    column: _Column = None,
    topic: TargetTopic = None,
    as_json: Json = False,
) -> None:
    """Send a recorded CSV file as events.

    The rows are sent oldest first, in all message formats in turn.

    Known headers: detectorid, sensor_id or external_id; starttime or timestamp; volume; speed
    (mph); occupancy (percent). --column names others. An empty cell is null. Times are ISO 8601, or
    PORTAL's month/day/year. PORTAL's times have no zone and mean America/Los_Angeles.

    Example: traffic replay examples/portland_i205/freeway_loopdata_OneHour.csv

    Example: traffic replay counts.csv --timezone Europe/Berlin --column volume=q_pkw
    """
    headers = dict(_read_column(text) for text in column or ())
    _check_zone(timezone)
    from traffic_platform.cli.console import progress_bar, stop_on_signals
    from traffic_platform.cli.sent_events import check_delivery
    from traffic_platform.demo.replay import replay as send

    settings = load_settings()
    with stop_on_signals() as stop, progress_bar(quiet=as_json) as bar:
        task = bar.add_task("Sending", total=None)
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
    check_delivery(report)


def _read_column(text: str) -> tuple[str, str]:
    from traffic_platform.demo.recording import HEADERS

    field, equals, header = text.partition("=")
    if not equals or not header or field not in HEADERS:
        raise typer.BadParameter(
            f"Invalid --column {text!r}. Use FIELD=HEADER with a field of {', '.join(HEADERS)}."
        )
    return field, header


def _check_zone(name: str | None) -> None:
    from zoneinfo import available_timezones

    if name is not None and name not in available_timezones():
        raise typer.BadParameter(
            f"Unknown time zone {name!r}. Use an IANA name, such as America/Los_Angeles."
        )


def _show(report: ReplayReport, as_json: bool) -> None:
    from traffic_platform.cli.console import moment
    from traffic_platform.cli.sent_events import show_totals

    figures = {
        "topic": report.topic,
        "delivered": report.delivered,
        "failed": report.failed,
        **report.formats,
        "without_measures": report.empty,
        "sensors": report.sensors,
        "interval_s": report.interval_s,
        "first_timestamp": moment(report.first_us),
        "last_timestamp": moment(report.last_us),
        "seconds": round(report.seconds, 3),
    }
    show_totals(figures, as_json)
