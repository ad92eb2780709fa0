"""`traffic quarantine`: what could not be processed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Date
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from traffic_platform.monitoring.rejected_messages import QuarantinedBytes, QuarantineFilter
    from traffic_platform.reprocess import ReprocessReport
    from traffic_platform.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What could not be processed.")

_SHOWN_BYTES = 4096

_Reason: TypeAlias = Annotated[str | None, typer.Option(help="Only this reason.")]


def _read_date(text: str) -> Date:
    try:
        return Date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write it as YYYY-MM-DD.") from None


_Day: TypeAlias = Annotated[
    Date | None,
    typer.Option(parser=_read_date, metavar="DATE", help="Only what arrived on this day."),
]
_Sensor: TypeAlias = Annotated[
    str | None, typer.Option(help="Only this external id, in the key or the sensor_id.")
]


@app.command("list")
def list_(
    *,
    reason: _Reason = None,
    date: _Day = None,
    sensor: _Sensor = None,
    resolved: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many messages to name.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count quarantined messages by reason, and name the newest.

    Days are those of TRAFFIC_TIMEZONE.

    Example: traffic quarantine list --reason no_measures --date 2025-10-04
    """
    from dataclasses import asdict

    from traffic_platform.cli.console import print_json, print_table, say
    from traffic_platform.monitoring import rejected_messages
    from traffic_platform.settings import load_settings

    which = _filter(reason, date, sensor, resolved=resolved)
    settings = load_settings()
    counts = rejected_messages.count_reasons(settings, which)
    messages = rejected_messages.list_messages(settings, which, limit)
    total = sum(count.messages for count in counts)
    if as_json:
        rows = [{"id": message.id, **asdict(message)} for message in messages]
        print_json({"total": total, "reasons": [asdict(c) for c in counts], "messages": rows})
        return
    if not counts:
        say("Nothing is in quarantine.")
        return
    headers = ("reason", "messages", "oldest", "newest")
    print_table("", headers, [(c.reason, c.messages, c.oldest, c.newest) for c in counts])
    if messages:
        print_table(
            f"The newest {len(messages)} of {total:,}",
            ("id", "arrived", "reason", "detail"),
            [(m.id, m.arrived, m.reason, m.detail) for m in messages],
        )


@app.command()
def show(
    topic: Annotated[str, typer.Argument(help="Topic, or TOPIC/PARTITION/OFFSET.")],
    partition: Annotated[int | None, typer.Argument(min=0)] = None,
    offset: Annotated[int | None, typer.Argument(min=0)] = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help=f"All bytes, not only the first {_SHOWN_BYTES}.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a quarantined message: its bytes, where it came from, what is wrong with it.

    Example: traffic quarantine show traffic-raw/3/17
    """
    from traffic_platform.cli.console import print_json
    from traffic_platform.errors import PermanentError
    from traffic_platform.monitoring.rejected_messages import read_messages
    from traffic_platform.settings import load_settings

    topic, partition, offset = _read_id(topic, partition, offset)
    messages = read_messages(load_settings(), topic, partition, offset)
    if not messages:
        raise PermanentError(
            f"Offset {offset} of {topic} [{partition}] is not in quarantine; "
            "`traffic quarantine list` names what is."
        )
    if as_json:
        print_json([_document(message) for message in messages])
        return
    for message in messages:
        _describe(message, full)


@app.command()
def replay(
    *,
    reason: _Reason = None,
    date: _Day = None,
    sensor: _Sensor = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would pass; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Decode quarantined messages again by today's settings, and let in what passes.

    What passes becomes an event with its own place and time, and is marked as resolved; what does
    not stays. May run beside a live stream. Ctrl-C and SIGTERM end it after the chunk in hand; to
    call it again goes on.

    Example: traffic quarantine replay --reason timestamp_without_zone --dry-run
    """
    from traffic_platform.cli.console import INTERRUPTED, progress_bar, stop_on_signals
    from traffic_platform.monitoring.rejected_messages import count_reasons
    from traffic_platform.reprocess import reprocess_rejected
    from traffic_platform.rollups import roll_up_all
    from traffic_platform.settings import load_settings

    which = _filter(reason, date, sensor)
    settings = load_settings()
    with stop_on_signals() as stop, progress_bar(quiet=as_json) as bar:
        total = sum(count.messages for count in count_reasons(settings, which))
        task = bar.add_task("decoding again", total=total)
        report = reprocess_rejected(
            settings,
            which,
            dry_run=dry_run,
            stop=stop.is_set,
            progress=lambda done: bar.advance(task, done),
        )
        if report.replayed and not dry_run:
            roll_up_all(settings)
    _show_replay(report, settings, as_json)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)


def _filter(
    reason: str | None, date: Date | None, sensor: str | None, *, resolved: bool = False
) -> QuarantineFilter:
    from traffic_platform.events.reasons import Reason
    from traffic_platform.monitoring.rejected_messages import QuarantineFilter

    if reason is not None and reason not in set(Reason):
        raise typer.BadParameter(f"There is no reason {reason!r}; there are {', '.join(Reason)}.")
    return QuarantineFilter(reason=reason, day=date, sensor=sensor, resolved=resolved)


def _show_replay(report: ReprocessReport, settings: Settings, as_json: bool) -> None:
    from traffic_platform.cli.console import counted, print_json, print_table, say

    if as_json:
        dates = {day.isoformat(): number for day, number in sorted(report.dates.items())}
        print_json({**vars(report), "dates": dates})
        return
    if not report.examined:
        say("Nothing is in quarantine.")
        return
    say(
        f"{counted(report.examined, 'message')} decoded again: {report.replayed:,} let in,"
        f" {report.remaining:,} left in quarantine"
        f"{' (a dry run: nothing was changed)' if report.dry_run else ''}."
    )
    reasons = sorted(report.replayed_by_reason | report.remaining_by_reason)
    print_table(
        "",
        ("reason", "let in", "remaining"),
        [
            (reason, report.replayed_by_reason[reason], report.remaining_by_reason[reason])
            for reason in reasons
        ],
    )
    if report.batches:
        say(
            f"Readings: {report.inserted:,} inserted, {report.updated:,} updated,"
            f" {report.unchanged:,} unchanged."
        )
    for hint in _why_they_stay(report, settings):
        say(hint)


def _why_they_stay(report: ReprocessReport, settings: Settings) -> Iterator[str]:
    """What would let in more, for those who set it elsewhere than where this command looks."""
    from traffic_platform.events.reasons import Reason

    stay = report.remaining_by_reason
    if stay[Reason.TIMESTAMP_WITHOUT_ZONE] and settings.naive_timezone is None:
        yield (
            f"{Reason.TIMESTAMP_WITHOUT_ZONE}: TRAFFIC_NAIVE_TIMEZONE is not set; set it, for the"
            " platform and for this command, to the zone that these timestamps mean."
        )
    if stay[Reason.UNKNOWN_SENSOR]:
        yield (
            f"{Reason.UNKNOWN_SENSOR}: import these sensors (`traffic sensors import`), or set"
            " TRAFFIC_UNKNOWN_SENSORS to register."
        )
    if stay:
        yield "`traffic quarantine list` says what is wrong with each."


def _read_id(topic: str, partition: int | None, offset: int | None) -> tuple[str, int, int]:
    if partition is not None and offset is not None:
        return topic, partition, offset
    parts = topic.rsplit("/", 2)
    if partition is not None or len(parts) != 3 or not (parts[1] + parts[2]).isdecimal():
        raise typer.BadParameter("Say TOPIC PARTITION OFFSET, or TOPIC/PARTITION/OFFSET.")
    return parts[0], int(parts[1]), int(parts[2])


def _describe(message: QuarantinedBytes, full: bool) -> None:
    from traffic_platform.cli.console import print_table, say
    from traffic_platform.events.texts import printable

    print_table(
        f"{message.topic} [{message.partition}] offset {message.offset}",
        ("", ""),
        [
            ("reason", message.reason),
            ("detail", message.detail),
            ("arrived at the broker", message.broker_timestamp),
            ("stored", message.ingested_at),
            ("quarantined", message.quarantined_at),
            ("topic number", str(message.topic_no)),
            ("topic id", message.kafka_topic_id),
            ("batch", str(message.batch_id)),
            ("Dagster run", message.run_id or "none"),
            ("rules", message.rules_version),
            ("resolved", message.resolved_at or "no"),
            *([("resolution", message.resolution)] if message.resolution else []),
        ],
    )
    for name, data in _parts(message):
        size = "none" if data is None else f"{len(data):,} bytes"
        say(f"{name}: {size}")
        for line in _dump(data or b"", full):
            say(f"  {line}")
    if message.value:
        cut = message.value if full else message.value[:_SHOWN_BYTES]
        say(f"value as text: {printable(cut)}")


def _parts(message: QuarantinedBytes) -> list[tuple[str, bytes | None]]:
    """Key, headers and value, with their names."""
    from traffic_platform.events.texts import printable

    headers = message.headers or []
    pairs = zip(headers[::2], headers[1::2], strict=True)
    named = [(f"header {printable(name or b'')}", value) for name, value in pairs]
    return [("key", message.key), *named, ("value", message.value)]


def _dump(data: bytes, full: bool) -> list[str]:
    """Sixteen bytes a line, in hexadecimal and as text; nothing of it can steer a terminal."""
    shown = data if full else data[:_SHOWN_BYTES]
    lines: list[str] = []
    for start in range(0, len(shown), 16):
        part = shown[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    if len(data) > len(shown):
        lines.append(f"… {len(data) - len(shown):,} more bytes (--full shows them)")
    return lines


def _document(message: QuarantinedBytes) -> dict[str, object]:
    from base64 import b64encode
    from dataclasses import asdict

    from traffic_platform.events.texts import printable

    def both(name: str, data: bytes | None) -> dict[str, object]:
        if data is None:
            return {f"{name}_text": None, f"{name}_base64": None}
        return {f"{name}_text": printable(data), f"{name}_base64": b64encode(data).decode()}

    document = asdict(message)
    headers = document.pop("headers") or []
    document.pop("key")
    document.pop("value")
    return {
        **document,
        **both("key", message.key),
        **both("value", message.value),
        "headers": [
            {"name": printable(name or b""), **both("value", value)}
            for name, value in zip(headers[::2], headers[1::2], strict=True)
        ],
    }
