"""Starting runs from a process that has imported Dagster already.

A new Python process needs 3 to 4 s (measured, 2 slow cores; twice that where no bytecode is cached)
to import Dagster and its storage before it can begin a run. Between the first message after a
quiet time and its row that was most of the wait; and while Dagster's launcher waits for one
process, the queue stands still for all. So the daemon keeps a process that has imported the
libraries and does nothing else (a fork server of `multiprocessing`), and a run is a fork of it:
0.6 s. Our own modules are not preloaded, so a run always uses the code on disk.

The platform's own jobs start this way; any other run starts as Dagster does it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing import forkserver
from typing import Any, cast

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value

from traffic_platform.orchestration.instance.run_processes import (
    WORKER_TAG,
    identity,
    is_gone,
    pid_here,
)
from traffic_platform.orchestration.tags import KIND

# What a run needs beside our own code. Nothing here starts a thread when it is imported, which a
# process that forks must not have; numpy's linear algebra would, and is told not to.
PRELOADED = (
    "dagster",
    "dagster._cli.api",
    "dagster._grpc.impl",
    "dagster_postgres",
    "confluent_kafka.admin",
    "msgspec",
    "numpy",
    "psycopg",
    "pydantic_settings",
)


def warm_up() -> None:
    """Start the process that runs are forked from; returns at once, while it imports.

    That process has the environment of this one, also when it is started again after a crash.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    multiprocessing.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()


class WarmRunCoordinator(QueuedRunCoordinator[Any]):
    """Dagster's queue; its daemon prepares the start of runs before the first is asked for."""

    @property
    def dequeue_interval_seconds(self) -> int:
        """Seconds between two looks at the queue. The daemon asks when it starts, nobody else."""
        warm_up()
        return super().dequeue_interval_seconds


class WarmLauncher(DefaultRunLauncher):
    """Forks our runs, and knows by their process whether they live; Dagster starts all else."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the run. Raises what Dagster's launcher raises, OSError when nothing can fork."""
        run = context.dagster_run
        origin = context.job_code_origin
        if KIND not in run.tags or origin is None:
            super().launch_run(context)
            return
        arguments = ExecuteRunArgs(origin, run.run_id, self._instance.get_ref())
        # A daemonic process gets SIGTERM when this one ends in order, and a window ends so too.
        process = multiprocessing.get_context("forkserver").Process(
            target=execute_run,
            args=(serialize_value(arguments), dict(os.environ)),
            name=run.run_id,
            daemon=True,
        )
        process.start()
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: identity(cast("int", process.pid))})

    def terminate(self, run_id: str) -> bool:
        """Ask the run to end: a window finishes its batch first. False when it has ended."""
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
        """Run monitoring may ask for every started run."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Our runs by their process; of others the code server reports the end by itself."""
        if is_gone(run.tags.get(WORKER_TAG)):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def execute_run(arguments: str, environment: dict[str, str]) -> None:
    """What the forked process does: `dagster api execute_run`, as every launcher's worker.

    `environment` is the launching process's: a fork has that of the fork server's start.
    """
    from dagster._cli.api import execute_run_command

    os.environ.clear()
    os.environ.update(environment)
    execute_run_command.main([arguments], standalone_mode=False)
