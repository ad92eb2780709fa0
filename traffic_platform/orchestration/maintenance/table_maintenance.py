"""The upkeep of the tables as Dagster runs it: a job, its schedule, and what it tells of itself."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg
from dagster import (
    AssetKey,
    AssetObservation,
    DefaultScheduleStatus,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    in_process_executor,
    job,
    op,
    schedule,
)

from traffic_platform.orchestration.instance.interrupts import deferred_interrupts
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.maintenance import MaintenanceReport

UPKEEP_JOB: Final = "maintain_tables"
# Off the other schedules' minutes. There is something to do about once a day; what was in use or
# could not be done is tried again an hour later.
UPKEEP_CRON: Final = "37 * * * *"
# A day of raw that is archived: 20 million messages take some minutes (measured).
_MAX_RUNTIME_SECONDS: Final = 10_800
_MOST_LISTED: Final = 30


def maintenance_job(settings: Settings) -> JobDefinition:
    """Partitions ahead, audit rows folded, old partitions archived and dropped."""

    @op(
        name="maintenance",
        description="Makes, folds, archives, drops, indexes (docs/retention.md).",
    )
    def keep(context: OpExecutionContext) -> None:
        # Not needed by the code server: it names runs, it does not run them.
        from traffic_platform.maintenance import maintain_tables

        with deferred_interrupts(context) as stop:
            report = maintain_tables(settings, stop=stop)
        context.add_output_metadata(maintenance_metadata(report))
        for observation in observations(report):
            context.log_event(observation)
        context.log.info(summary(report))

    @job(
        name=UPKEEP_JOB,
        description="Makes partitions ahead, folds the accounting, drops what is too old.",
        executor_def=in_process_executor,
        tags=housekeeping_tags("maintenance", _MAX_RUNTIME_SECONDS),
    )
    def maintain_tables_job() -> None:
        keep()

    return maintain_tables_job


def maintenance_schedule(settings: Settings, job: JobDefinition) -> ScheduleDefinition:
    """The upkeep, when something is to be made or may be too old."""

    @schedule(
        name=UPKEEP_JOB,
        job=job,
        cron_schedule=UPKEEP_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Keeps the tables small and ready, about once a day.",
    )
    def maintain_tables_schedule(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        from traffic_platform.maintenance.work_due import find_work
        from traffic_platform.postgres.connections import connect

        try:
            url = settings.endpoints().read_url
            with connect(
                url, application_name="traffic-maintenance", autocommit=True
            ) as connection:
                work = find_work(connection, settings, datetime.now(UTC))
        except psycopg.OperationalError as error:
            return SkipReason(f"PostgreSQL is away: {error}")
        if not work:
            return SkipReason("Everything is made, and nothing is too old.")
        return RunRequest()

    return maintain_tables_schedule


def maintenance_metadata(report: "MaintenanceReport") -> Mapping[str, Any]:
    """Figures of an upkeep, and what it made, dropped and left."""
    retired = report.retired
    metadata: dict[str, Any] = {
        "partitions made": len(report.created),
        "audit rows folded": report.compacted.rows,
        "into audit rows": report.compacted.into,
        "partitions dropped": len(retired.dropped),
        "rows dropped": sum(gone.rows for gone in retired.dropped),
        "months put in order": len(report.indexed),
    }
    lists = {
        "made": [partition.name for partition in report.created],
        "dropped": [
            f"{gone.partition.name}: {gone.rows:,} rows{_archives(gone.archives)}"
            for gone in retired.dropped
        ],
        "put in order": [partition.name for partition in report.indexed],
        "kept": [f"{name}: {because}" for name, because in retired.kept.items()],
    }
    return metadata | {name: _listed(lines) for name, lines in lists.items() if lines}


def observations(report: "MaintenanceReport") -> Iterator[AssetObservation]:
    """What each table lost, for its page in the asset graph."""
    for table in ("raw_events", "processed_events", "traffic_readings"):
        gone = [one for one in report.retired.dropped if one.partition.parent == table]
        if not gone:
            continue
        metadata: dict[str, Any] = {
            "rows dropped": sum(one.rows for one in gone),
            "partitions dropped": _listed([one.partition.name for one in gone]),
        }
        if archives := [name for one in gone for name in one.archives]:
            metadata["archived in"] = _listed(archives)
        yield AssetObservation(
            asset_key=AssetKey(table),
            description="Retention dropped partitions.",
            metadata=metadata,
        )


def summary(report: "MaintenanceReport") -> str:
    """One line for the run's log."""
    rows = sum(gone.rows for gone in report.retired.dropped)
    return (
        f"{len(report.created)} partitions made, {report.compacted.rows} audit rows folded into "
        f"{report.compacted.into}, {len(report.retired.dropped)} partitions dropped with"
        f" {rows} rows."
    )


def _archives(names: tuple[str, ...]) -> str:
    return f", archived in {', '.join(names)}" if names else ""


def _listed(lines: list[str]) -> MetadataValue:
    more = len(lines) - _MOST_LISTED
    shown = [*lines[:_MOST_LISTED], *([f"and {more} more"] if more > 0 else [])]
    return MetadataValue.md("\n".join(f"- {line}" for line in shown))
