"""The newest ingest runs and publisher runs that Dagster knows."""

from __future__ import annotations

from collections.abc import Mapping

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter

from traffic_platform.orchestration.ingest.demand import PUBLISHER, State, StreamRun
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.watch import RunsUnreadableError
from traffic_platform.orchestration.instance.run_processes import WORKER_TAG, host_of, is_gone
from traffic_platform.orchestration.publish.clean_stream_asset import PUBLISH_JOB
from traffic_platform.orchestration.tags import WRITER, WRITERS

# Newest runs read for each writer: two in progress, and enough ended ones to count seven failures
# in a row, which lead to the longest backoff.
RUNS_PER_WRITER = 12

_STATES: Mapping[DagsterRunStatus, State] = {
    DagsterRunStatus.QUEUED: State.PENDING,
    DagsterRunStatus.NOT_STARTED: State.PENDING,
    DagsterRunStatus.MANAGED: State.PENDING,
    DagsterRunStatus.STARTING: State.PENDING,
    DagsterRunStatus.STARTED: State.STARTED,
    DagsterRunStatus.SUCCESS: State.SUCCEEDED,
    DagsterRunStatus.FAILURE: State.FAILED,
    DagsterRunStatus.CANCELING: State.CANCELED,
    DagsterRunStatus.CANCELED: State.CANCELED,
}
_UNFINISHED = (State.PENDING, State.STARTED)


def newest_stream_runs(instance: DagsterInstance, writers: int) -> list[StreamRun]:
    """Return the newest ingest runs of the current number of writers, then publishers.

    A run whose process is gone is reported to Dagster as failed, so that nothing waits for it.
    Raises RunsUnreadableError when Dagster's storage does not answer.
    """
    # Slow to import; Dagster's storage has loaded them before anything calls this.
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        records = instance.get_run_records(
            RunsFilter(job_name=INGEST_JOB, tags={WRITERS: str(writers)}),
            limit=RUNS_PER_WRITER * writers,
        )
        publishers = RunsFilter(job_name=PUBLISH_JOB)
        records = [*records, *instance.get_run_records(publishers, limit=RUNS_PER_WRITER)]
        # Runs start on the daemon's host, and there is one daemon: the newest run shows which.
        workers = (record.dagster_run.tags.get(WORKER_TAG) for record in records)
        host = next((host_of(worker) for worker in workers if worker), None)
        runs = [_stream_run(record, host) for record in records]
        for run in runs:
            if run.gone:
                _report_gone(instance, run.run_id)
    except (DagsterPostgresException, SQLAlchemyError) as error:
        raise RunsUnreadableError(f"Dagster's storage: {error}") from error
    return runs


def _stream_run(record: RunRecord, host: str | None) -> StreamRun:
    run = record.dagster_run
    worker = run.tags.get(WORKER_TAG)
    state = _STATES.get(run.status, State.STARTED)
    return StreamRun(
        run_id=run.run_id,
        writer=PUBLISHER if run.job_name == PUBLISH_JOB else int(run.tags.get(WRITER, 0)),
        state=state,
        created_at=record.create_timestamp.timestamp(),
        ended_at=record.end_time,
        gone=state in _UNFINISHED and is_gone(worker),
        elsewhere=worker is not None and host_of(worker) != host,
    )


def _report_gone(instance: DagsterInstance, run_id: str) -> None:
    # Read again: the run may have ended in order after its record was read.
    run = instance.get_run_by_id(run_id)
    if run is not None and _STATES.get(run.status) in _UNFINISHED:
        instance.report_run_failed(
            run, "Its process is gone. Nothing is lost: the next run continues."
        )
