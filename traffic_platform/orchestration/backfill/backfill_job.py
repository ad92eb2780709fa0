"""Backfills of dates: the job, and the part of the event tables' step that does the work."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    Failure,
    MaterializeResult,
    define_asset_job,
    in_process_executor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from traffic_platform.orchestration.instance.interrupts import deferred_interrupts
from traffic_platform.orchestration.keys import DETECTOR_HEALTH, EVENT_TABLES, ROLLUPS
from traffic_platform.orchestration.partitions import event_dates
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.reprocess import DateReport, TableName

BACKFILL_JOB: Final = "backfill_dates"
# A week of two million messages takes a minute, but a run may cover a year.
_MAX_RUNTIME_SECONDS = 24 * 3600
# Nobody else asks for these dates again, so Dagster starts a run again whose process was killed. A
# step that failed for another reason would fail again.
_RESUMED_AFTER_CRASH = {
    "dagster/max_retries": "5",
    "dagster/retry_on_asset_or_op_failure": "false",
}
BACKFILL_ASSETS = (*EVENT_TABLES, *ROLLUPS, DETECTOR_HEALTH)

# The figures of a DateReport that become metadata of each table.
_FIGURES: Mapping[str, tuple[str, ...]] = {
    "raw_events": ("raw_restored",),
    "processed_events": (
        "events_added",
        "events_changed",
        "events_removed",
        "events_compared",
        "entered",
        "left",
        "moved",
        "rejudged",
    ),
    "traffic_readings": ("readings_added", "readings_changed", "readings_removed"),
}


def backfill_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """Return the job that backfills all tables of dates: events, roll-ups, detector health."""
    return define_asset_job(
        name=BACKFILL_JOB,
        selection=AssetSelection.assets(*BACKFILL_ASSETS).without_checks(),
        partitions_def=event_dates(settings),
        executor_def=in_process_executor,
        tags=housekeeping_tags("backfill", _MAX_RUNTIME_SECONDS) | _RESUMED_AFTER_CRASH,
        description=(
            "Backfills the chosen dates: events from raw messages, then roll-ups and detector"
            " health from readings. Safe beside the live stream. `traffic backfill --dry-run` shows"
            " the changes first."
        ),
    )


def backfill_events(
    context: AssetExecutionContext, settings: Settings
) -> Iterator[MaterializeResult[Any]]:
    """Backfill the selected event tables for the dates of the run, one transaction per date."""
    # Imported here because the code server only defines runs.
    from traffic_platform.reprocess import backfill_dates

    selected = [key for key in EVENT_TABLES if key in context.selected_asset_keys]
    names = [key.path[-1] for key in selected]

    def done(report: "DateReport") -> None:
        for key, name in zip(selected, names, strict=True):
            # Each date of a range has its own figures.
            context.add_asset_metadata(
                figures_of(report, name), asset_key=key, partition_key=report.date.isoformat()
            )
        context.log.info(f"{report.date}: {sentence(report)}")

    dates = [date.fromisoformat(key) for key in context.partition_keys]
    with deferred_interrupts(context) as stop:
        backfilled = backfill_dates(
            settings,
            dates,
            tables=cast("list[TableName]", names),
            run_id=context.run_id,
            stop=stop,
            done=done,
        )
    context.log.info(
        f"Decoded {backfilled.messages_decoded} messages, changed {backfilled.changes} rows."
    )
    remaining = sorted(set(dates) - {report.date for report in backfilled.dates})
    if remaining:
        raise Failure(
            f"Stopped before {len(remaining)} of {len(set(dates))} dates were done, from"
            f" {remaining[0]} on. The other dates are complete. Start the run again for the rest.",
            allow_retries=False,
        )
    for key in selected:
        yield MaterializeResult(asset_key=key)


def figures_of(report: "DateReport", table: str) -> dict[str, Any]:
    """Return what a backfill changed in one table of a date, and the seconds of the whole date."""
    figures = report.figures()
    named = {name.replace("_", " "): figures[name] for name in _FIGURES[table]}
    return {**named, "seconds (all tables)": report.seconds}


def sentence(report: "DateReport") -> str:
    """Return the changes of a date in one sentence for the log."""
    changed = {
        name.replace("_", " "): number
        for names in _FIGURES.values()
        for name in names
        if (number := report.figures()[name]) and name != "events_compared"
    }
    if not changed:
        return "nothing changed"
    return ", ".join(f"{number} {name}" for name, number in changed.items())
