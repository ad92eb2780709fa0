"""The pages in the repository are those that the code generates."""

from __future__ import annotations

import pytest

from checks.generate_docs import PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """Run `make docs-generated` when this fails."""
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name]()
