"""Table maintenance in Dagster: the job, its schedule, and the figures that it reports."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

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
    op,
    schedule,
)

from traffic_platform.orchestration.changed_dates import query_database
from traffic_platform.orchestration.instance.interrupts import deferred_interrupts
from traffic_platform.orchestration.one_step_job import one_step_job
from traffic_platform.settings import Settings

if TYPE_CHECKING:
    from traffic_platform.maintenance import MaintenanceReport

MAINTENANCE_JOB: Final = "maintain_tables"
# Off the other schedules' minutes. There is work about once a day; a partition that was in use is
# tried again an hour later.
MAINTENANCE_CRON: Final = "37 * * * *"
# Archiving a raw day of 20 million messages takes some minutes (measured).
_MAX_RUNTIME_SECONDS: Final = 10_800
_MOST_LISTED: Final = 30


def maintenance_job(settings: Settings) -> JobDefinition:
    """Return the job: partitions ahead, audit compaction, archive and drop of old partitions."""

    @op(
        name="maintenance",
        description="Maintains the tables; docs/retention.md explains each step.",
    )
    def maintain(context: OpExecutionContext) -> None:
        # Imported here because the code server only defines runs.
        from traffic_platform.maintenance import maintain_tables

        with deferred_interrupts(context) as stop:
            report = maintain_tables(settings, stop=stop)
        context.add_output_metadata(maintenance_metadata(report))
        for observation in observations(report):
            context.log_event(observation)
        context.log.info(summary(report))

    return one_step_job(
        maintain,
        MAINTENANCE_JOB,
        "Creates partitions ahead, compacts closed hours of the audit, archives and drops"
        " partitions that are too old, and indexes closed months. Its schedule starts it.",
        kind="maintenance",
        max_runtime_seconds=_MAX_RUNTIME_SECONDS,
    )


def maintenance_schedule(settings: Settings, job: JobDefinition) -> ScheduleDefinition:
    """Maintain the tables in an hour in which there is work."""

    @schedule(
        name=MAINTENANCE_JOB,
        job=job,
        cron_schedule=MAINTENANCE_CRON,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Starts maintain_tables when there is work, about once a day.",
    )
    def maintain_tables_schedule(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        from traffic_platform.maintenance.work_due import find_work

        work = query_database(
            settings, lambda connection: find_work(connection, settings, datetime.now(UTC))
        )
        if isinstance(work, SkipReason):
            return work
        if not work:
            return SkipReason("All partitions exist, and no data is too old.")
        return RunRequest()

    return maintain_tables_schedule


def maintenance_metadata(report: "MaintenanceReport") -> Mapping[str, Any]:
    """Return the figures of a run, and the partitions that it created, dropped and kept."""
    retired = report.retired
    metadata: dict[str, Any] = {
        "partitions created": len(report.created),
        "audit rows compacted": report.compacted.rows,
        "into audit rows": report.compacted.into,
        "partitions dropped": len(retired.dropped),
        "rows dropped": sum(gone.rows for gone in retired.dropped),
        "months indexed": len(report.indexed),
    }
    lists = {
        "created": [partition.name for partition in report.created],
        "dropped": [
            f"{gone.partition.name}: {gone.rows:,} rows{_archives(gone.archives)}"
            for gone in retired.dropped
        ],
        "indexed": [partition.name for partition in report.indexed],
        "kept": [f"{name}: {because}" for name, because in retired.kept.items()],
    }
    return metadata | {name: _listed(lines) for name, lines in lists.items() if lines}


def observations(report: "MaintenanceReport") -> Iterator[AssetObservation]:
    """Yield the dropped rows of each table, for its page in Dagster's catalogue."""
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
    """Return one line for the run's log."""
    rows = sum(gone.rows for gone in report.retired.dropped)
    return (
        f"Created {len(report.created)} partitions, compacted {report.compacted.rows} audit rows"
        f" into {report.compacted.into}, dropped {len(report.retired.dropped)} partitions"
        f" with {rows} rows."
    )


def _archives(names: tuple[str, ...]) -> str:
    return f", archived in {', '.join(names)}" if names else ""


def _listed(lines: list[str]) -> MetadataValue:
    more = len(lines) - _MOST_LISTED
    shown = [*lines[:_MOST_LISTED], *([f"and {more} more"] if more > 0 else [])]
    return MetadataValue.md("\n".join(f"- {line}" for line in shown))
