"""Pages about checks, and the example workflow for GitHub Actions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from traffic_platform_tests.cli.conftest import Traffic

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples/github_actions/traffic-checks.yml"
PAGES = [ROOT / "docs/ci.md", *sorted((ROOT / "docs/runbooks").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#:]*)(#[^)]*)?\)")


def headings(page: Path) -> set[str]:
    """Return the anchors of a page in GitHub's form."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_the_pages_about_checks_has_a_target(page: Path) -> None:
    for target, anchor in _LINK.findall(page.read_text()):
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), target
        assert not anchor or anchor in headings(other), anchor


def test_the_workflow_uses_existing_options_of_the_command(traffic_alone: Traffic) -> None:
    workflow: Any = yaml.safe_load(WORKFLOW.read_text())
    steps = workflow["jobs"]["checks"]["steps"]
    [check] = [step for step in steps if "traffic check" in step.get("run", "")]
    assert check["shell"] == "bash"  # with pipefail: `tee` must not hide the exit code
    help_text = traffic_alone("check", "--help").out
    options = re.findall(r"--\w+", check["run"].partition("traffic check")[2])
    assert options == ["--date", "--junit"]
    assert all(option in help_text for option in options)


def test_the_workflow_reads_its_database_from_a_secret() -> None:
    workflow: Any = yaml.safe_load(WORKFLOW.read_text())
    variables = workflow["jobs"]["checks"]["env"]
    assert variables["TRAFFIC_DATABASE_URL"] == "${{ secrets.TRAFFIC_DATABASE_URL }}"
    assert workflow["permissions"] == {"contents": "read"}
