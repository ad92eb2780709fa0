"""Fixtures that run the `traffic` command like a shell, inside the test's process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from traffic_platform.cli import main


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)


Traffic = Callable[..., Result]


@pytest.fixture
def traffic_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Traffic:
    """traffic_alone("produce", "--help"): run it without servers, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAFFIC_HOME", str(tmp_path / "home"))
    for name in ("TRAFFIC_TEST_KAFKA", "TRAFFIC_TEST_POSTGRES"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["traffic", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run


@pytest.fixture
def traffic(
    traffic_alone: Traffic, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Traffic:
    """traffic("produce", "--count", 10): run it with the test's own database and topics."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return traffic_alone
