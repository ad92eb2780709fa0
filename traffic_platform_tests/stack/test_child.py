"""A supervised service that takes long to start."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from traffic_platform.stack import child as supervision
from traffic_platform.stack.child import Child
from traffic_platform.stack.ports import Ports
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
