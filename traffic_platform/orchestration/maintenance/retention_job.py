"""The job that keeps Dagster's own storage small; `retention` says what goes."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step's parameters.

from datetime import UTC, datetime

import psycopg
from dagster import JobDefinition, OpExecutionContext, in_process_executor, job, op

from traffic_platform.orchestration.maintenance.dagster_retention import purge
from traffic_platform.orchestration.tags import housekeeping_tags
from traffic_platform.settings import Settings

_MAX_RUNTIME_SECONDS = 900


def dagster_connection(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to Dagster's database, in autocommit, on whatever schema its URL names."""
    return psycopg.connect(settings.endpoints().dagster_url, autocommit=True, connect_timeout=5)


def retention_job(settings: Settings) -> JobDefinition:
    """Deletes old runs, events and check results, but for what the dates' state rests on."""

    @op(name="purge_storage", description="Deletes what is too old in Dagster's storage.")
    def purge_storage(context: OpExecutionContext) -> None:
        with dagster_connection(settings) as connection:
            purged = purge(context.instance, connection, datetime.now(UTC))
        context.log.info(
            f"{purged.runs} runs, {purged.events} events and {purged.check_rows} check results "
            "deleted."
        )

    @job(
        name="purge_dagster_storage",
        description="Deletes old runs, events and check results from Dagster's own storage.",
        executor_def=in_process_executor,
        tags=housekeeping_tags("retention", _MAX_RUNTIME_SECONDS),
    )
    def purge_dagster_storage() -> None:
        purge_storage()

    return purge_dagster_storage
