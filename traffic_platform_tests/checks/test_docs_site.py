"""The documentation's site, built from the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>")
    found = {page.name: loaded.findall(page.read_text()) for page in site.rglob("*.html")}
    assert {name: tags for name, tags in found.items() if tags} == {}


def test_diagrams_are_drawn_with_the_sites_own_copy_of_mermaid(site: Path) -> None:
    assert (site / "assets" / "mermaid" / "index.js").is_file()
    assert '"./mermaid/index.js"' in (site / "assets" / "docs_site.js").read_text()


def test_the_readme_is_the_first_page_and_its_links_stay_in_the_site(site: Path) -> None:
    page = (site / "index.html").read_text()
    targets = re.findall(r"<(?:a|img)\b[^>]*\b(?:href|src)=\"([^\"#:]+)[\"#]", page)
    assert "LICENSE" in targets
    assert [target for target in targets if not (site / target).exists()] == []
