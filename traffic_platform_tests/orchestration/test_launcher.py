"""Forked runs: start, end, termination and the death of their process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import psutil
import psycopg
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from traffic_platform.monitoring.lag import LagReader
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.ingest_runs import newest_stream_runs
from traffic_platform.orchestration.instance.fork_server import PRELOADED, warm_up
from traffic_platform.orchestration.instance.launcher import WarmLauncher
from traffic_platform.orchestration.instance.run_processes import WORKER_TAG, pid_here
from traffic_platform.orchestration.keys import TRAFFIC_READINGS
from traffic_platform.orchestration.tags import writer_tags
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.conftest import ROOT
from traffic_platform_tests.orchestration.feed import flat

ORIGIN = RepositoryPythonOrigin(
    executable_path=sys.executable,
    code_pointer=ModuleCodePointer("traffic_platform.definitions", "defs", str(ROOT)),
    entry_point=[sys.executable, "-m", "dagster"],
)


@pytest.fixture
def launch(
    platform: Settings,
    instance: DagsterInstance,
    make_topic: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], DagsterRun]]:
    """launch(): an ingest run in its own process, for the test's own topic."""
    # A run that is idle long enough that only the test ends it.
    monkeypatch.setenv("TRAFFIC_INGEST_RUN_IDLE_SECONDS", "30")
    make_topic()
    warm_up()
    job = build_definitions(platform).resolve_job_def(INGEST_JOB)
    launched: list[DagsterRun] = []

    def start() -> DagsterRun:
        run = instance.create_run_for_job(
            job,
            tags={**job.tags, **writer_tags(0, 1)},
            status=DagsterRunStatus.STARTING,
            job_code_origin=JobPythonOrigin(INGEST_JOB, ORIGIN),
        )
        instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
        launched.append(read(instance, run))
        return launched[-1]

    yield start
    for run in launched:
        pid = pid_here(run.tags[WORKER_TAG])
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def read(instance: DagsterInstance, run: DagsterRun) -> DagsterRun:
    """The run as it is now."""
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def wait_for_status(
    instance: DagsterInstance, run: DagsterRun, status: DagsterRunStatus
) -> DagsterRun:
    """Wait until the run has that status."""
    wait_until(lambda: read(instance, run).status is status, f"{run.run_id} is {status.value}")
    return read(instance, run)


def wait_for_locks(settings: Settings, run: DagsterRun) -> None:
    """Wait until the run holds its partitions."""
    reader = LagReader(settings)
    wait_until(lambda: {h.run_id for h in reader.holders()} == {run.run_id}, "it holds the locks")
    reader.close()


def readings(settings: Settings) -> int:
    """The number of readings."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute("select count(*) from traffic.traffic_readings").fetchone()
    assert row
    return int(row[0])


def pid_of(run: DagsterRun) -> int:
    """The run's process, which must be alive."""
    pid = pid_here(run.tags[WORKER_TAG])
    assert pid
    return pid


def test_a_forked_run_stores_events_and_terminate_ends_it_in_order(
    platform: Settings,
    instance: DagsterInstance,
    launch: Callable[[], DagsterRun],
    produce: Callable[..., None],
) -> None:
    run = launch()
    wait_for_locks(platform, run)
    produce([flat("a"), flat("b")])
    wait_until(lambda: readings(platform) == 2, "two readings are stored")
    assert instance.run_launcher.terminate(run.run_id)
    wait_for_status(instance, run, DagsterRunStatus.CANCELED)
    assert not LagReader(platform).holders()
    assert not instance.run_launcher.terminate(run.run_id)


def test_a_run_that_gets_sigterm_ends_in_order_and_succeeds(
    platform: Settings,
    instance: DagsterInstance,
    launch: Callable[[], DagsterRun],
    produce: Callable[..., None],
) -> None:
    produce([flat("a")])
    run = launch()
    wait_until(lambda: readings(platform) == 1, "the reading is stored")
    os.kill(pid_of(run), signal.SIGTERM)
    wait_for_status(instance, run, DagsterRunStatus.SUCCESS)
    assert instance.get_latest_materialization_event(TRAFFIC_READINGS) is not None


def test_a_killed_run_is_noticed_at_once(
    platform: Settings, instance: DagsterInstance, launch: Callable[[], DagsterRun]
) -> None:
    run = launch()
    wait_for_locks(platform, run)
    launcher = instance.run_launcher
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    os.kill(pid_of(run), signal.SIGKILL)
    wait_until(lambda: pid_here(run.tags[WORKER_TAG]) is None, "the process is gone")
    assert launcher.check_run_worker_health(run).status is WorkerStatus.NOT_FOUND
    assert newest_stream_runs(instance, 1)[0].gone
    assert read(instance, run).status is DagsterRunStatus.FAILURE


def test_a_successor_takes_over_from_a_killed_run(
    platform: Settings,
    instance: DagsterInstance,
    launch: Callable[[], DagsterRun],
    produce: Callable[..., None],
) -> None:
    first = launch()
    wait_for_locks(platform, first)
    second = launch()
    wait_for_status(instance, second, DagsterRunStatus.STARTED)
    produce([flat("a")])
    wait_until(lambda: readings(platform) == 1, "the first run stores")
    os.kill(pid_of(first), signal.SIGKILL)
    produce([flat("b")])
    wait_until(lambda: readings(platform) == 2, "the second run stores", seconds=20)
    wait_for_locks(platform, second)


def environment_of_parent(answer: Connection) -> None:
    """Send the environment of the process that this one was forked from."""
    answer.send(psutil.Process(os.getppid()).environ())


def test_the_process_that_runs_are_forked_from_has_one_thread() -> None:
    warm_up()
    context = multiprocessing.get_context("forkserver")
    here, there = context.Pipe()
    process = context.Process(target=environment_of_parent, args=(there,))
    process.start()
    assert here.poll(60)
    environment = here.recv()
    process.join()
    # Measured in a process with that environment, because numpy's threads end at the first fork.
    script = (
        "import importlib, psutil, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(psutil.Process().num_threads())"
    )
    command = [sys.executable, "-c", script, *PRELOADED]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout == "1\n"


def test_a_run_of_another_kind_is_left_to_dagsters_launcher(instance: DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, WarmLauncher)
    job = build_definitions(Settings(_env_file=None)).resolve_job_def(INGEST_JOB)  # pyright: ignore[reportCallIssue]
    run = instance.create_run_for_job(job, tags={})
    with pytest.raises(Exception, match="workspace"):
        launcher.launch_run(LaunchRunContext(run, workspace=None))
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
