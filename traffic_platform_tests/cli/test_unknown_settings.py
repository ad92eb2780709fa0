"""Unknown variables that begin with TRAFFIC_, in the environment and in `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_platform_tests.cli.conftest import Traffic


@pytest.mark.parametrize("source", ["environment", ".env"])
def test_an_unknown_variable_is_named_with_the_nearest_setting(
    source: str, traffic_alone: Traffic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "environment":
        monkeypatch.setenv("TRAFFIC_RAW_DAY", "7")
    else:
        (tmp_path / ".env").write_text("TRAFFIC_RAW_DAY=7\nOTHER=1\n")
    shown = traffic_alone("status", "--json")
    assert shown.err == (
        "Warning: TRAFFIC_RAW_DAY is not a setting and has no effect."
        " Did you mean TRAFFIC_RAW_DAYS?\n"
    )
    assert shown.json["healthy"] is False


def test_a_variable_that_resembles_no_setting_is_named_alone(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Kubernetes gives such variables to every container beside a service named `traffic`.
    monkeypatch.setenv("TRAFFIC_9Q", "x")
    assert traffic_alone("status", "--json").err == (
        "Warning: TRAFFIC_9Q is not a setting and has no effect. docs/settings.md lists all.\n"
    )


def test_variables_of_the_platforms_own_processes_are_known(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRAFFIC_STACK", "TRAFFIC_FAULT_POINT", "TRAFFIC_RAW_DAYS"):
        monkeypatch.setenv(name, "1")
    assert traffic_alone("status", "--json").err == ""


def test_a_misspelled_variable_is_named_beside_an_invalid_one(
    traffic_alone: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_RAW_DAY", "7")
    monkeypatch.setenv("TRAFFIC_KAFKA_PORT", "0")
    shown = traffic_alone("status")
    assert shown.code == 1
    assert "TRAFFIC_RAW_DAYS?" in shown.err
    assert "TRAFFIC_KAFKA_PORT: " in shown.err
