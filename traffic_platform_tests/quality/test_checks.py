"""The checks, and the runbook and SQL that belong to each."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_platform.quality.check import Check
from traffic_platform.quality.checks import CHECKS, checks_named
from traffic_platform.statements import statement

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
EVERY_CHECK = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)


@EVERY_CHECK
def test_a_check_has_a_runbook(check: Check) -> None:
    page = (ROOT / check.runbook).read_text()
    assert page.startswith(f"# {check.name}\n\n{check.severity}")
    assert "## What to do" in page
    assert (", blocking ·" in page) == check.blocking


@EVERY_CHECK
def test_a_check_has_a_sentence_and_names_its_sql(check: Check) -> None:
    assert check.description.endswith(".")
    assert check.statements
    assert all(statement(name) for name in check.statements)


def test_every_runbook_belongs_to_a_check() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == {check.name for check in CHECKS}


def test_only_errors_block() -> None:
    assert {check.severity for check in CHECKS if check.blocking} == {"ERROR"}


def test_an_unknown_name_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown check nosuch. The checks are clocks_agree, "):
        checks_named(["nosuch", "clocks_agree"])


def test_without_names_all_checks_are_selected() -> None:
    assert checks_named([]) == list(CHECKS)
    assert [check.name for check in checks_named(["clocks_agree"])] == ["clocks_agree"]
