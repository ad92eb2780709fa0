"""Free space on the disks of TRAFFIC_HOME and of the embedded PostgreSQL."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from traffic_platform.monitoring.disk_space import full_disks
from traffic_platform.settings import Settings
from traffic_platform.stack.processes import ProcessId
from traffic_platform.stack.state import StackFolders, StackState
from traffic_platform.stack.status import read_status


@pytest.mark.parametrize("embedded", [True, False])
def test_a_folder_below_the_threshold_is_named_once(embedded: bool, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free / 1024**3
    url = None if embedded else "postgresql://u:p@h/d"
    values = {"home": tmp_path / "home", "database_url": url}
    below = Settings.model_validate({**values, "disk_free_gib": free * 2})
    # Both folders are on one disk here, so one sentence names the first.
    (sentence,) = full_disks(below)
    assert str(tmp_path / "home") in sentence
    assert "TRAFFIC_DISK_FREE_GIB" in sentence
    assert full_disks(Settings.model_validate({**values, "disk_free_gib": free / 2})) == []


def test_another_disk_of_postgresql_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to("/dev/shm")
    settings = Settings.model_validate({"home": tmp_path, "disk_free_gib": 1e6})
    assert len(full_disks(settings)) == 2
    assert str(tmp_path / "postgres") in full_disks(settings)[1]


def test_0_switches_the_warning_off(tmp_path: Path) -> None:
    assert full_disks(Settings.model_validate({"home": tmp_path, "disk_free_gib": 0})) == []


def test_the_status_of_a_running_stack_reports_the_disk(tmp_path: Path) -> None:
    folders = StackFolders(tmp_path)
    folders.make()
    here = ProcessId.of(os.getpid())
    assert here is not None
    StackState("ready", here.pid, here.started).save(folders.state_file)
    found = read_status(Settings.model_validate({"home": tmp_path, "disk_free_gib": 1e6}))
    assert any("PostgreSQL stops when it is full" in problem for problem in found.problems)
    enough = read_status(Settings.model_validate({"home": tmp_path, "disk_free_gib": 0}))
    assert not any("disk" in problem for problem in enough.problems)
