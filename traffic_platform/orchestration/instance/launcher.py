"""Launcher that forks runs from a process with Dagster already imported.

A new Python process needs 3 to 4 s (measured, 2 slow cores; twice that without cached bytecode) to
import Dagster and its storage. That was most of the delay between the first message after a quiet
time and its row, and meanwhile Dagster's launcher holds up the queue for all.

So the daemon keeps a process that has only imported the libraries: a fork server of
`multiprocessing`. A run is a fork of it and starts in 0.6 s. The platform's own modules are not
preloaded, so a run always uses the code on disk.

Only the platform's own jobs start this way; Dagster starts any other run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any, cast

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value

from traffic_platform.orchestration.instance.fork_server import warm_up
from traffic_platform.orchestration.instance.log_lines import write_log
from traffic_platform.orchestration.instance.run_processes import (
    WORKER_TAG,
    identity,
    is_gone,
    pid_here,
)
from traffic_platform.orchestration.tags import KIND


class WarmRunCoordinator(QueuedRunCoordinator[Any]):
    """Dagster's queue, whose daemon warms up the launcher before the first run."""

    @property
    def dequeue_interval_seconds(self) -> int:
        """Seconds between reads of the queue. Only the daemon asks, when it starts."""
        warm_up()
        return super().dequeue_interval_seconds


class WarmLauncher(DefaultRunLauncher):
    """Forks the platform's runs and watches their processes; Dagster starts all other runs."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the run. Raises what Dagster's launcher raises, and OSError if the fork fails."""
        run = context.dagster_run
        origin = context.job_code_origin
        if KIND not in run.tags or origin is None:
            super().launch_run(context)
            return
        arguments = ExecuteRunArgs(origin, run.run_id, self._instance.get_ref())
        # A daemonic process gets SIGTERM when this one ends in order, and then ends its run.
        process = multiprocessing.get_context("forkserver").Process(
            target=execute_run,
            args=(serialize_value(arguments), dict(os.environ)),
            name=run.run_id,
            daemon=True,
        )
        process.start()
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: identity(cast("int", process.pid))})

    def terminate(self, run_id: str) -> bool:
        """Ask the run to end, after its current batch. Return False if it has ended already."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or WORKER_TAG not in run.tags:
            return super().terminate(run_id)
        pid = pid_here(run.tags[WORKER_TAG])
        self._instance.report_run_canceling(run)
        if pid is None:
            self._instance.report_run_canceled(run, "Its process is gone.")
            return False
        os.kill(pid, signal.SIGTERM)
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: run monitoring may ask for every started run."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Check the process of one of our runs; the code server reports the end of others."""
        if is_gone(run.tags.get(WORKER_TAG)):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def execute_run(arguments: str, environment: dict[str, str]) -> None:
    """Run `dagster api execute_run` in the forked process, as other launchers' workers do.

    `environment` is that of the launching process; the fork itself has the fork server's.
    """
    from dagster._cli.api import execute_run_command

    os.environ.clear()
    os.environ.update(environment)
    write_log(f"run {multiprocessing.current_process().name[:8]}")
    execute_run_command.main([arguments], standalone_mode=False)
