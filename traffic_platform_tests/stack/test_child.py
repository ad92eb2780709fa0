"""A supervised service: a start that takes long, and restarts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from traffic_platform.stack import child as supervision
from traffic_platform.stack.child import Child
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Service
from traffic_platform.stack.standalone import Standalone, standalone_postgres


def advance_until(child: Child, state: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while child.state != state:
        assert child.error is None
        assert time.monotonic() < deadline, child
        child.advance(child.process is not None and child.process.poll() is not None)
        time.sleep(0.05)


def test_a_database_that_recovers_for_long_is_not_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "START_SECONDS", 0.2)
    monkeypatch.setattr(supervision, "_RECOVERY_SECONDS", 0.2)
    ports = Ports(tmp_path / "ports.json")
    postgres = standalone_postgres(tmp_path, ports, first_port=26432)
    once = Standalone(postgres, tmp_path)
    once.start()
    once.stop()
    # A standby recovers until it is promoted.
    (postgres.data / "standby.signal").touch()
    with (postgres.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("hot_standby = off\n")
    child = Child(postgres, (), tmp_path, str(tmp_path))
    try:
        advance_until(child, "starting")
        assert child.process is not None
        pid, until = child.process.pid, time.monotonic() + 1.5
        while time.monotonic() < until:
            child.advance(child.process.poll() is not None)
            assert (child.state, child.error) == ("starting", None)
            time.sleep(0.05)
        assert postgres.recovering()
        (postgres.data / "promote").touch()
        os.kill(pid, signal.SIGUSR1)
        advance_until(child, "running")
        assert child.process.pid == pid
        assert not postgres.recovering()
    finally:
        if child.process is not None:
            child.process.send_signal(signal.SIGINT)
            child.process.wait(30)
        ports.close()


@dataclass(frozen=True)
class Gated(Service):
    """A process that ends at once unless the file `gate` exists."""

    folder: Path
    name: str = "gated"

    def command(self) -> Command:
        return Command(("/bin/sh", "-c", "test -e gate && exec sleep 600"), self.folder)

    def ready(self) -> bool:
        return (self.folder / "gate").exists()


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Child]:
    """A service that runs behind its open gate."""
    (tmp_path / "gate").touch()
    child = Child(Gated(tmp_path), (), tmp_path / "logs", str(tmp_path))
    advance_until(child, "running")
    yield child
    end(child)


def end(child: Child) -> None:
    """Kill the process of a child, if it has one."""
    if child.process is not None:
        child.process.kill()
        child.process.wait(30)


def close_gate(child: Child, folder: Path) -> None:
    """Let the service end, and fail to start again."""
    (folder / "gate").unlink()
    end(child)
    for state in ("restarting", "starting", "restarting"):
        advance_until(child, state)


def test_a_service_that_served_is_restarted_without_growing_delays(
    gated: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "_FIRST_BACKOFF_SECONDS", 0.02)
    for _ in range(12):
        end(gated)
        for state in ("restarting", "running"):
            advance_until(gated, state, seconds=20)


def test_a_service_starts_when_what_it_needs_serves_again(
    gated: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_gate(gated, tmp_path)
    gated._restart_at += 3600
    (tmp_path / "gate").touch()
    gated.advance(ended=False, needs_serve=False)
    assert gated.state == "restarting"
    gated.advance(ended=False)
    assert gated.state == "starting"


def test_a_service_starts_when_the_disk_has_room_again(gated: Child, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        os.posix_fallocate(large.fileno(), 0, 4 * supervision.ROOM_BYTES)
    close_gate(gated, tmp_path)
    gated._restart_at += 3600
    gated.advance(ended=False)
    assert gated.state == "restarting"
    (tmp_path / "large").unlink()
    advance_until(gated, "starting")
