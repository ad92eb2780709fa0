"""Check results as JUnit XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from traffic_platform.quality.checks import CHECKS
from traffic_platform.quality.junit import write_junit
from traffic_platform.quality.outcome import Outcome, not_evaluated
from traffic_platform.quality.run import Result
from traffic_platform_tests.quality.conftest import DAY

BY_NAME = {check.name: check for check in CHECKS}
ERROR, WARN = BY_NAME["no_lost_range"], BY_NAME["clocks_agree"]


def written(path: Path, *results: Result) -> ET.Element:
    """Write the results and return the suite."""
    write_junit(path, results, DAY)
    [suite] = ET.parse(path).getroot()
    return suite


def test_an_error_is_a_failure_and_a_warning_is_not(tmp_path: Path) -> None:
    bad = Outcome(False, "Something <differs>.", {}, [{"sensor": "a\x00b", "n": 1, "x": None}])
    suite = written(tmp_path / "checks.xml", Result(ERROR, bad, 1.5), Result(WARN, bad, 0.25))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    error, warning = suite
    failure = error.find("failure")
    assert failure is not None
    assert failure.get("message") == "Something <differs>."
    assert "sensor a\N{REPLACEMENT CHARACTER}b, n 1" in str(failure.text)
    assert "docs/runbooks/no_lost_range.md" in str(failure.text)
    assert warning.find("failure") is None
    assert str(warning.findtext("system-out")).startswith("WARN: Something <differs>.")


def test_a_check_that_was_not_evaluated_is_skipped(tmp_path: Path) -> None:
    suite = written(tmp_path / "checks.xml", Result(WARN, not_evaluated("no history"), 0))
    assert suite.get("skipped") == "1"
    skipped = suite[0].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "Not evaluated: no history."


def test_a_check_that_could_not_run_is_an_error(tmp_path: Path) -> None:
    broken = Outcome(False, "The check could not run: too slow", broken=True)
    suite = written(tmp_path / "checks.xml", Result(ERROR, broken, 0))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")
    error = suite[0].find("error")
    assert error is not None
    assert error.get("message") == "The check could not run: too slow"
