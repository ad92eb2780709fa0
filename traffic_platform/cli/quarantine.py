"""`traffic quarantine`: list, show and reprocess rejected messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Date
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from traffic_platform.cli import console
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.monitoring.rejected_messages import QuarantineFilter
    from traffic_platform.reprocess import ReprocessReport
    from traffic_platform.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show and reprocess rejected messages.",
)

_Reason: TypeAlias = Annotated[str | None, typer.Option(help="Only messages with this reason.")]


def _read_date(text: str) -> Date:
    try:
        return Date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"Invalid date {text!r}. Use YYYY-MM-DD.") from None


_Day: TypeAlias = Annotated[
    Date | None,
    typer.Option(parser=_read_date, metavar="DATE", help="Only messages that arrived on this day."),
]
_Sensor: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Only messages with this external id in the key or the sensor_id."),
]


@app.command("list")
def list_(
    *,
    reason: _Reason = None,
    date: _Day = None,
    sensor: _Sensor = None,
    resolved: Annotated[bool, typer.Option("--all", help="Include resolved messages.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Number of newest messages to list.")] = 20,
    as_json: Json = False,
) -> None:
    """List rejected messages by reason, and the newest ones.

    Days are in TRAFFIC_TIMEZONE.

    Example: traffic quarantine list --reason no_measures --date 2025-10-04
    """
    from dataclasses import asdict

    from traffic_platform.monitoring import rejected_messages
    from traffic_platform.settings import load_settings

    chosen = _filter(reason, date, sensor, resolved=resolved)
    settings = load_settings()
    counts = rejected_messages.count_reasons(settings, chosen)
    messages = rejected_messages.list_messages(settings, chosen, limit)
    total = sum(count.messages for count in counts)
    if as_json:
        rows = [{"id": message.id, **asdict(message)} for message in messages]
        reasons = [asdict(count) for count in counts]
        console.print_json({"total": total, "reasons": reasons, "messages": rows})
        return
    if not counts:
        console.say("The quarantine is empty.")
        return
    headers = ("reason", "messages", "oldest", "newest")
    console.print_table("", headers, [(c.reason, c.messages, c.oldest, c.newest) for c in counts])
    if messages:
        console.print_table(
            f"The newest {len(messages)} of {total:,}",
            ("id", "arrived", "reason", "detail"),
            [(m.id, m.arrived, m.reason, m.detail) for m in messages],
        )


@app.command()
def show(
    topic: Annotated[str, typer.Argument(help="Topic, or TOPIC/PARTITION/OFFSET of the message.")],
    partition: Annotated[int | None, typer.Argument(min=0)] = None,
    offset: Annotated[int | None, typer.Argument(min=0)] = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Show all bytes, not only the first 4096.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a rejected message: its bytes, its origin and the reason.

    Example: traffic quarantine show traffic-raw/3/17
    """
    from traffic_platform.cli.rejected_message import message_document, show_message
    from traffic_platform.errors import PermanentError
    from traffic_platform.monitoring.rejected_messages import read_messages
    from traffic_platform.settings import load_settings

    topic, partition, offset = _read_id(topic, partition, offset)
    messages = read_messages(load_settings(), topic, partition, offset)
    if not messages:
        raise PermanentError(
            f"Offset {offset} of {topic} [{partition}] is not in quarantine. "
            "`traffic quarantine list` shows the messages."
        )
    if as_json:
        console.print_json([message_document(message) for message in messages])
        return
    for message in messages:
        show_message(message, full)


_DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Only show the result; change nothing.")
]


@app.command()
def reprocess(
    *,
    reason: _Reason = None,
    date: _Day = None,
    sensor: _Sensor = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Reprocess rejected messages with today's settings.

    A message that is valid now becomes an event with its own offset and time, and is marked as
    resolved. The others stay in quarantine. The command works beside a live stream. Ctrl-C and
    SIGTERM end it after the current chunk, and the next call resumes.

    Example: traffic quarantine reprocess --reason unknown_sensor --dry-run
    """
    from traffic_platform.monitoring.rejected_messages import count_reasons
    from traffic_platform.reprocess import reprocess_rejected
    from traffic_platform.rollups import roll_up_all
    from traffic_platform.settings import load_settings

    chosen = _filter(reason, date, sensor)
    settings = load_settings()
    with console.stop_on_signals() as stop, console.progress_bar(quiet=as_json) as bar:
        total = sum(count.messages for count in count_reasons(settings, chosen))
        task = bar.add_task("Reprocessing", total=total)
        report = reprocess_rejected(
            settings,
            chosen,
            dry_run=dry_run,
            stop=stop.is_set,
            progress=lambda done: bar.advance(task, done),
        )
        if report.replayed and not dry_run:
            roll_up_all(settings)
    _show_report(report, settings, as_json)
    if stop.is_set():
        raise typer.Exit(console.INTERRUPTED)


@app.command(hidden=True)
def replay(
    *,
    reason: _Reason = None,
    date: _Day = None,
    sensor: _Sensor = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Reprocess rejected messages: the former name of `reprocess`.

    Example: traffic quarantine reprocess --dry-run
    """
    typer.echo(
        "`traffic quarantine replay` is now called `traffic quarantine reprocess`.", err=True
    )
    reprocess(reason=reason, date=date, sensor=sensor, dry_run=dry_run, as_json=as_json)


def _filter(
    reason: str | None, date: Date | None, sensor: str | None, *, resolved: bool = False
) -> QuarantineFilter:
    from traffic_platform.events.reasons import Reason
    from traffic_platform.monitoring.rejected_messages import QuarantineFilter

    if reason is not None and reason not in set(Reason):
        raise typer.BadParameter(f"Unknown reason {reason!r}. Use one of {', '.join(Reason)}.")
    return QuarantineFilter(reason=reason, day=date, sensor=sensor, resolved=resolved)


def _show_report(report: ReprocessReport, settings: Settings, as_json: bool) -> None:
    if as_json:
        dates = {day.isoformat(): number for day, number in sorted(report.dates.items())}
        console.print_json({**vars(report), "dates": dates})
        return
    if not report.examined:
        console.say("The quarantine has no such message.")
        return
    console.say(
        f"{console.counted(report.examined, 'message')} decoded again:"
        f" {report.replayed:,} became events, {report.remaining:,} stay in quarantine"
        f"{' (dry run: nothing was changed)' if report.dry_run else ''}."
    )
    reasons = sorted(report.replayed_by_reason | report.remaining_by_reason)
    console.print_table(
        "",
        ("reason", "became events", "remaining"),
        [
            (reason, report.replayed_by_reason[reason], report.remaining_by_reason[reason])
            for reason in reasons
        ],
    )
    if report.batches:
        console.say(
            f"Readings: {report.inserted:,} inserted, {report.updated:,} updated,"
            f" {report.unchanged:,} unchanged. Superseded events: {report.superseded:,}."
        )
    for hint in _hints(report, settings):
        console.say(hint)


def _hints(report: ReprocessReport, settings: Settings) -> Iterator[str]:
    """Yield the settings and commands that would make more messages valid."""
    from traffic_platform.events.reasons import Reason

    remaining = report.remaining_by_reason
    if remaining[Reason.TIMESTAMP_WITHOUT_ZONE] and settings.naive_timezone is None:
        yield (
            f"{Reason.TIMESTAMP_WITHOUT_ZONE}: TRAFFIC_NAIVE_TIMEZONE is not set. Set it, for the"
            " platform and for this command, to the time zone of these timestamps."
        )
    if remaining[Reason.UNKNOWN_SENSOR]:
        yield (
            f"{Reason.UNKNOWN_SENSOR}: import these sensors (`traffic sensors import`), or set"
            " TRAFFIC_UNKNOWN_SENSORS to register."
        )
    if remaining:
        yield "`traffic quarantine list` shows the error of each message."


def _read_id(topic: str, partition: int | None, offset: int | None) -> tuple[str, int, int]:
    if partition is not None and offset is not None:
        return topic, partition, offset
    parts = topic.rsplit("/", 2)
    if partition is not None or len(parts) != 3 or not (parts[1] + parts[2]).isdecimal():
        raise typer.BadParameter("Give TOPIC PARTITION OFFSET, or TOPIC/PARTITION/OFFSET.")
    return parts[0], int(parts[1]), int(parts[2])
