"""The stack that `traffic status` shows, inside and outside the clone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from traffic_platform.settings import load_settings
from traffic_platform.stack.find import find_stack
from traffic_platform.stack.processes import ProcessId
from traffic_platform.stack.state import StackFolders, StackState


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose stack has a living supervisor: this process. The current folder is another."""
    for name in [name for name in os.environ if name.startswith("TRAFFIC_")]:
        monkeypatch.delenv(name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run_stack(tmp_path / "clone" / ".traffic")
    (tmp_path / "clone" / ".env").write_text("TRAFFIC_RAW_TOPIC=of-the-clone\n")
    return tmp_path / "clone"


def run_stack(home: Path) -> None:
    """Write the state of a stack that this process supervises."""
    folders = StackFolders(home)
    folders.make()
    here = ProcessId.of(os.getpid())
    assert here is not None
    StackState("ready", here.pid, here.started).save(folders.state_file)


def test_outside_the_clone_its_stack_is_found_with_its_settings(clone: Path) -> None:
    found = find_stack(load_settings(), clone)
    assert found.state is not None
    assert found.settings.home == clone / ".traffic"
    assert found.settings.raw_topic == "of-the-clone"


def test_the_stack_of_the_current_folder_comes_first(clone: Path) -> None:
    run_stack(Path.cwd() / ".traffic")
    found = find_stack(load_settings(), clone)
    assert found.settings.home == Path.cwd() / ".traffic"
    assert found.settings.raw_topic == "traffic-raw"


def test_a_named_home_is_the_only_place(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAFFIC_HOME", "named")
    found = find_stack(load_settings(), clone)
    assert found.state is None
    assert found.missing == f"no stack runs in {Path.cwd() / 'named'} (TRAFFIC_HOME)"


def test_without_a_stack_both_places_are_named(clone: Path) -> None:
    StackFolders(clone / ".traffic").state_file.unlink()
    found = find_stack(load_settings(), clone)
    assert found.settings.home == Path.cwd() / ".traffic"
    assert found.missing == (
        f"no stack runs in {Path.cwd() / '.traffic'} or {clone / '.traffic'} (TRAFFIC_HOME)"
    )
