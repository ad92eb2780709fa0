"""The mark of the tests that start servers or processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from traffic_platform_tests.conftest import PROCESS_NAMES, names_used


def _version() -> bytes:
    return subprocess.check_output([sys.executable, "--version"])


def _asks_for_the_version() -> bool:
    return bool(_version())


def test_a_process_is_found_behind_a_function_of_the_module() -> None:
    assert not PROCESS_NAMES.isdisjoint(names_used(_asks_for_the_version))


def test_a_test_without_a_process_has_no_mark(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("servers") is None
