"""`traffic check`: run the asset checks without Dagster, for people, CI and cron."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from traffic_platform.cli.console import (
    counted,
    load_settings,
    print_json,
    print_table,
    progress_bar,
    say,
)
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from datetime import date

    from traffic_platform.quality.run import Result
    from traffic_platform.settings import Settings


def check(
    date: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="A day in TRAFFIC_TIMEZONE. Default: today.",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--check", metavar="NAME", help="Run only this check; may be repeated."),
    ] = None,
    as_json: Json = False,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", dir_okay=False, help="Also write JUnit XML to this file."),
    ] = None,
) -> None:
    """Run the checks of a date and of the current tables.

    The command needs only PostgreSQL, and works beside a live stream. A check without data, or with
    too little history, passes and says so. Failed checks of severity WARN are shown too.

    Exit codes: 0 no ERROR check failed, 1 an ERROR check failed, 2 it or a check could not run.

    Example: traffic check --date 2025-10-04
    """

    settings = load_settings()
    day = date.date() if date else datetime.now(ZoneInfo(settings.timezone)).date()
    results = _evaluate(settings, names or [], day, quiet=as_json)
    if junit:
        from traffic_platform.quality.junit import write_junit

        write_junit(junit, results, day)
    if as_json:
        print_json(_document(results, day))
    else:
        _show(results, day)
    if any(result.is_error for result in results):
        raise typer.Exit(1)
    if any(result.outcome.broken for result in results):
        raise typer.Exit(2)


def _evaluate(settings: Settings, names: list[str], day: date, *, quiet: bool) -> list[Result]:
    from traffic_platform.quality.checks import checks_named
    from traffic_platform.quality.run import evaluate_checks

    try:
        checks = checks_named(names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--check") from None
    results: list[Result] = []
    with progress_bar(quiet=quiet) as bar:
        task = bar.add_task("Checking", total=len(checks))
        for result in evaluate_checks(settings, checks, day):
            results.append(result)
            bar.update(task, advance=1)
    return results


def _document(results: list[Result], day: date) -> dict[str, Any]:
    return {
        "date": day,
        "passed": not any(result.is_error or result.outcome.broken for result in results),
        "checks": [
            {
                "name": result.check.name,
                "table": result.check.table,
                "scope": result.check.scope.value,
                "severity": result.check.severity,
                "passed": result.outcome.passed,
                "evaluated": result.outcome.evaluated and not result.outcome.broken,
                "summary": result.outcome.summary,
                "numbers": dict(result.outcome.numbers),
                "sample": [dict(row) for row in result.outcome.sample],
                "runbook": result.check.runbook,
                "seconds": result.seconds,
            }
            for result in results
        ],
    }


def _show(results: list[Result], day: date) -> None:
    rows = [
        (_state(result), result.check.table, result.check.name, result.outcome.summary)
        for result in results
    ]
    print_table(f"Checks of {day}", ("", "table", "check", ""), rows)
    failed = [result for result in results if not result.outcome.passed]
    for result in failed:
        _show_sample(result)
    errors = sum(result.is_error for result in failed)
    skipped = sum(not result.outcome.evaluated for result in results)
    say(
        f"{counted(len(results), 'check')}: {counted(errors, 'error')}, "
        f"{counted(len(failed) - errors, 'warning')}, {skipped} not evaluated, "
        f"{sum(result.seconds for result in results):.1f} s"
    )


def _show_sample(result: Result) -> None:
    rows = result.outcome.sample
    title = f"{result.check.name}: {result.outcome.summary}"
    if not rows:
        say(title)
    else:
        headers = list(dict.fromkeys(name for row in rows for name in row))
        print_table(title, headers, [[row.get(name) for name in headers] for row in rows])
    say(f"What to do: {result.check.runbook}\n")


def _state(result: Result) -> str:
    if result.outcome.broken:
        return "BROKEN"
    if not result.outcome.passed:
        return result.check.severity
    return "passed" if result.outcome.evaluated else "-"
