"""Runs of the window job and of the publisher, as a plan needs them."""

from __future__ import annotations

from collections.abc import Mapping

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter

from traffic_platform.orchestration.ingest.demand import PUBLISHER, State, Window
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.watch import RunsUnreadableError
from traffic_platform.orchestration.instance.run_processes import WORKER_TAG, host_of, is_gone
from traffic_platform.orchestration.publish.clean_stream_asset import PUBLISH_JOB
from traffic_platform.orchestration.tags import WRITER, WRITERS

# Newest runs looked at for each writer: two in progress, and enough that ended to see seven
# failures in a row, which is the longest backoff.
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


def newest_ingest_runs(instance: DagsterInstance, writers: int) -> list[Window]:
    """The newest windows of the current number of writers, and publishers; each newest first.

    A run whose process is gone is reported as failed, so that nobody waits for it.
    Raises RunsUnreadableError when Dagster's storage does not answer.
    """
    # Slow to import, and loaded by the storage itself before anybody comes here.
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        records = instance.get_run_records(
            RunsFilter(job_name=INGEST_JOB, tags={WRITERS: str(writers)}),
            limit=RUNS_PER_WRITER * writers,
        )
        publishers = RunsFilter(job_name=PUBLISH_JOB)
        records = [*records, *instance.get_run_records(publishers, limit=RUNS_PER_WRITER)]
        # Windows run where the daemon is, and there is one daemon: the newest shows where.
        workers = (record.dagster_run.tags.get(WORKER_TAG) for record in records)
        host = next((host_of(worker) for worker in workers if worker), None)
        windows = [_window(record, host) for record in records]
        for window in windows:
            if window.gone:
                _report_gone(instance, window.run_id)
    except (DagsterPostgresException, SQLAlchemyError) as error:
        raise RunsUnreadableError(f"Dagster's storage: {error}") from error
    return windows


def _window(record: RunRecord, host: str | None) -> Window:
    run = record.dagster_run
    worker = run.tags.get(WORKER_TAG)
    state = _STATES.get(run.status, State.STARTED)
    return Window(
        run_id=run.run_id,
        writer=PUBLISHER if run.job_name == PUBLISH_JOB else int(run.tags.get(WRITER, 0)),
        state=state,
        created_at=record.create_timestamp.timestamp(),
        ended_at=record.end_time,
        gone=state in _UNFINISHED and is_gone(worker),
        elsewhere=worker is not None and host_of(worker) != host,
    )


def _report_gone(instance: DagsterInstance, run_id: str) -> None:
    # Read again: it may have ended in order between the first reading and the look at its process.
    run = instance.get_run_by_id(run_id)
    if run is not None and _STATES.get(run.status) in _UNFINISHED:
        instance.report_run_failed(run, "Its process is gone.")
