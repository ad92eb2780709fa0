"""Jobs of a single step, in the run's own process."""

from __future__ import annotations

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from traffic_platform.orchestration.tags import housekeeping_tags


def one_step_job(
    step: OpDefinition, name: str, description: str, *, kind: str, max_runtime_seconds: int
) -> JobDefinition:
    """Return the job that runs `step`; see `housekeeping_tags` for the last two parameters."""

    @job(
        name=name,
        description=description,
        executor_def=in_process_executor,
        tags=housekeeping_tags(kind, max_runtime_seconds),
    )
    def run_step() -> None:
        step()

    return run_step
