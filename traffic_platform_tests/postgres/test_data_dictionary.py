"""The page of tables and columns that is in the repository."""

from __future__ import annotations

from pathlib import Path

from traffic_platform.postgres.data_dictionary import data_dictionary

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def test_the_page_says_what_the_catalogue_says() -> None:
    """After a change of the catalogue the module makes the page anew; see there."""
    assert PAGE.read_text(encoding="utf-8") == data_dictionary()
