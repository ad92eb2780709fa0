"""Dagster's storage with the repository's dagster.yaml and no other setting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from traffic_platform.orchestration.instance.launcher import WarmLauncher, WarmRunCoordinator
from traffic_platform.orchestration.instance.storage import PlatformStorage
from traffic_platform.settings import Settings
from traffic_platform_tests.orchestration.conftest import ROOT


def test_state_goes_to_the_database_of_the_settings(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    assert instance.get_runs_count() == 0
    tables = storage.execute("select tablename from pg_tables where schemaname = 'public'")
    assert {"runs", "event_logs", "jobs", "instance_info"} <= {row[0] for row in tables.fetchall()}


def test_files_go_below_the_home_folder(instance: DagsterInstance, platform: Settings) -> None:
    assert Path(instance.storage_directory()).is_relative_to(platform.home.resolve())


def test_the_instance_reference_holds_no_password(
    instance: DagsterInstance, platform: Settings
) -> None:
    password = psycopg.conninfo.conninfo_to_dict(platform.endpoints().dagster_url)["password"]
    assert str(password) not in repr(instance.get_ref())


def test_a_second_instance_shares_the_first_ones_connections(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    ref = InstanceRef.from_dir(str(tmp_path), config_dir=str(ROOT))
    with DagsterInstance.from_ref(ref) as other:
        engines = {
            id(store._engine)  # pyright: ignore
            for one in (instance, other)
            for store in (one.run_storage, one.event_log_storage, one.schedule_storage)
        }
    assert len(engines) == 1


def test_a_connection_that_the_server_closed_is_replaced(
    instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    assert instance.get_runs_count() == 0
    storage.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert instance.get_runs_count() == 0


def test_runs_wait_in_a_queue_that_is_read_every_second_and_are_forked(
    instance: DagsterInstance,
) -> None:
    coordinator = instance.run_coordinator
    assert isinstance(coordinator, WarmRunCoordinator)
    assert coordinator._dequeue_interval_seconds == 1  # the property would start a process
    assert isinstance(instance.run_launcher, WarmLauncher)
    assert instance.run_monitoring_enabled
    assert instance.get_sensor_settings()["use_threads"]


def test_without_a_stack_a_dagster_command_says_so_in_one_line(tmp_path: Path) -> None:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("TRAFFIC_")}
    ended = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "info"],
        cwd=ROOT,
        env={**variables, "TRAFFIC_HOME": str(tmp_path), "DAGSTER_HOME": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "traffic up" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_storage_class_in_dagster_yaml_is_ours(instance: DagsterInstance) -> None:
    data = instance.get_ref().storage_data
    assert data is not None
    assert data.class_name == PlatformStorage.__name__
