"""Progress lines of `traffic up`."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_platform.cli.stack import _Progress
from traffic_platform.stack.kafka_jars import class_path
from traffic_platform.stack.state import ServiceState, StackState

CHECKING = StackState(
    "starting", 1, "", services={"kafka": ServiceState("preparing", 2, 0, 0.0, "kafka.log")}
)


def test_up_speaks_of_a_download_only_when_jars_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _Progress().stack(CHECKING)
    assert "44 MB" in capsys.readouterr().err
    class_path()[0].parent.mkdir(parents=True)
    for jar in class_path():
        jar.touch()
    _Progress().stack(CHECKING)
    assert capsys.readouterr().err == ""
