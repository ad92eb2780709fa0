"""`traffic backfill`: rebuild dates through Dagster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from traffic_platform.cli import console
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.reprocess import DateReport
    from traffic_platform.settings import Settings
    from traffic_platform.stack.dagster_runs import DagsterRun, Materialized, Seen

ASSETS = (
    "raw_events",
    "processed_events",
    "traffic_readings",
    "readings_5min",
    "readings_hourly",
    "readings_daily",
    "detector_health",
)
_POLL_SECONDS = 0.5
_SILENCE_SECONDS = 120  # longer than a restart of the webserver takes
_FORMATS = ["%Y-%m-%d"]
# The line that a run logs when the events of a date are rebuilt.
_DATE = re.compile(r"^(\d{4}-\d\d-\d\d): ")


def backfill(
    first: Annotated[
        datetime, typer.Option("--from", formats=_FORMATS, metavar="YYYY-MM-DD", help="First day.")
    ],
    last: Annotated[
        datetime | None,
        typer.Option(
            "--to", formats=_FORMATS, metavar="YYYY-MM-DD", help="Last day. Default: the first."
        ),
    ] = None,
    *,
    assets: Annotated[
        list[str] | None,
        typer.Option("--asset", metavar="NAME", help="Rebuild only this asset; may be repeated."),
    ] = None,
    chunk: Annotated[int, typer.Option(min=1, help="Days per Dagster run.")] = 31,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show which events and readings would change.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rebuild dates through Dagster.

    Events are rebuilt from raw messages, roll-ups and detector health from readings. Days are in
    TRAFFIC_TIMEZONE. Ingest runs continue meanwhile. Readers see the old or the new date, never a
    mixture, and equal rows are not written. Missing raw rows are read again from Kafka, as long as
    it retains them. --dry-run needs no Dagster.

    Example: traffic backfill --from 2025-10-01 --to 2025-10-07
    """

    settings = console.load_settings()
    begin, end = first.date(), (last or first).date()
    chosen = _chosen(assets)
    if end < begin:
        raise typer.BadParameter(f"{end} is before --from {begin}.", param_hint="--to")
    if begin < settings.first_date:
        raise typer.BadParameter(
            f"{begin} is before the first date {settings.first_date} (TRAFFIC_FIRST_DATE).",
            param_hint="--from",
        )
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    if dry_run:
        _dry_run(settings, days, chosen, as_json)
        return
    _run(settings, [days[at : at + chunk] for at in range(0, len(days), chunk)], chosen, as_json)


def _chosen(assets: list[str] | None) -> list[str]:
    unknown = sorted(set(assets or ()) - set(ASSETS))
    if unknown:
        raise typer.BadParameter(
            f"Unknown asset {', '.join(unknown)}. Use one of {', '.join(ASSETS)}.",
            param_hint="--asset",
        )
    return [name for name in ASSETS if not assets or name in assets]


def _dry_run(
    settings: Settings, days: Sequence[date], assets: Sequence[str], as_json: bool
) -> None:
    from traffic_platform.reprocess import EVERY_TABLE, TableName, backfill_dates

    tables = cast("list[TableName]", [name for name in assets if name in EVERY_TABLE])
    with console.stop_on_signals() as stop, console.progress_bar(quiet=as_json) as bar:
        task = bar.add_task("Decoding", total=None)
        report = backfill_dates(
            settings,
            days,
            tables=tables,
            dry_run=True,
            stop=stop.is_set,
            progress=lambda unit, number: bar.update(
                task, description=unit, advance=number if unit == "messages" else 0
            ),
        )
    interrupted = len(report.dates) < len(days)
    if as_json:
        console.print_json({"dry_run": True, "dates": [day.figures() for day in report.dates]})
    else:
        _print_dates(report.dates)
        console.say("Nothing was changed.")
    if interrupted:
        raise typer.Exit(console.INTERRUPTED)


def _print_dates(dates: Sequence[DateReport]) -> None:
    names = (
        "events_added",
        "events_changed",
        "events_removed",
        "readings_added",
        "readings_changed",
        "readings_removed",
        "rejudged",
    )
    console.print_table(
        "",
        ("date", *(name.replace("_", " ") for name in names)),
        [(day.date.isoformat(), *(getattr(day, name) for name in names)) for day in dates],
    )


def _run(
    settings: Settings, chunks: Sequence[Sequence[date]], assets: Sequence[str], as_json: bool
) -> None:
    from traffic_platform.stack.dagster_runs import launch
    from traffic_platform.stack.errors import StackError
    from traffic_platform.stack.status import read_status

    url = read_status(settings).dagster or settings.dagster_url
    if url is None:
        raise StackError(
            "Dagster does not run here. Start it with `traffic up`, or set TRAFFIC_DAGSTER_URL"
            " (`dagster dev`: http://127.0.0.1:3000). --dry-run needs no Dagster."
        )
    with console.stop_on_signals() as stop:
        backfill = _Backfill((lambda _text: None) if as_json else console.say, stop.is_set)
        for days in chunks:
            run = launch(url, "backfill_dates", assets, days[0], days[-1])
            if backfill.follow(run, f"{days[0]} to {days[-1]}: {run.page}") != "SUCCESS":
                break
    if as_json:
        console.print_json({"runs": backfill.runs, "dates": _by_date(backfill.materialized)})
    progress = backfill.progress([day for days in chunks for day in days])
    last = backfill.runs[-1]
    if stop.is_set():
        backfill.say(progress)
        raise typer.Exit(console.INTERRUPTED)
    if last["status"] != "SUCCESS":
        raise StackError(
            f"The run ended as {last['status']}. {progress} {last['url']} shows the reason."
        )
    dates = {item.date for item in backfill.materialized}
    backfill.say(f"{console.counted(len(dates), 'date')} rebuilt.")


@dataclass
class _Backfill:
    """The runs of a backfill, and what they have done so far. `rebuilt`: dates of their events."""

    say: Callable[[str], None]
    stop: Callable[[], bool]
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    materialized: list[Materialized] = field(default_factory=list["Materialized"])
    rebuilt: set[str] = field(default_factory=set[str])

    def follow(self, run: DagsterRun, title: str) -> str:
        """Follow a run, and those that continue it after a crash; return the last one's status."""
        self.say(title)
        status = "STARTED"
        for seen in _watch(run, self.stop):
            self.materialized += seen.materialized
            status = seen.status
            for message in seen.messages:
                self.rebuilt.update(_DATE.findall(message))
                self.say(message)
        self.runs.append({"run_id": run.run_id, "status": status, "url": run.page})
        following = _successor(run) if status == "FAILURE" and not self.stop() else None
        if following is None:
            return status
        return self.follow(following, f"The run's process was killed. {following.page} continues.")

    def progress(self, days: Sequence[date]) -> str:
        """Return the numbers of rebuilt and of remaining dates, for people."""
        done = self.rebuilt | {item.date for item in self.materialized}
        left = [day for day in days if day.isoformat() not in done]
        if not left:
            return "The events of every date are rebuilt."
        return (
            f"Rebuilt: {len(days) - len(left)} of {console.counted(len(days), 'date')}."
            f" Left: {left[0]} to {left[-1]}. Call the command again for these."
        )


def _successor(run: DagsterRun) -> DagsterRun | None:
    """Return the run that continues a failed one, None if Dagster starts none."""
    import time

    deadline = time.monotonic() + _SILENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := run.successor()) is not None:
            return found
        if not run.will_continue():
            return None
        time.sleep(_POLL_SECONDS)
    return None


def _watch(run: DagsterRun, stop: Callable[[], bool]) -> Iterator[Seen]:
    """Yield news of the run until it ends; cancel it when `stop` returns true.

    Raises StackError if Dagster does not answer for _SILENCE_SECONDS.
    """
    import time

    from traffic_platform.stack.errors import StackError

    canceled, heard = False, time.monotonic()
    while True:
        seen = run.look()
        if seen is not None:
            heard = time.monotonic()
            yield seen
            if seen.ended:
                return
        elif time.monotonic() - heard > _SILENCE_SECONDS:
            raise StackError(
                f"Dagster has not answered for {_SILENCE_SECONDS} s, and the run may continue."
                f" `traffic status` shows which service is down, {run.page} the run's result."
            )
        if stop() and not canceled:
            canceled = True
            run.cancel()
        time.sleep(_POLL_SECONDS)


def _by_date(materialized: Sequence[Materialized]) -> list[dict[str, Any]]:
    dates: dict[str, dict[str, Any]] = {}
    for item in materialized:
        of_date = dates.setdefault(item.date, {"date": item.date})
        of_date[item.table] = {name.replace(" ", "_"): n for name, n in item.figures.items()}
    return [dates[day] for day in sorted(dates)]
