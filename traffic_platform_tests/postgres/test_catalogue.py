"""Descriptions in the catalogue name every quality test."""

from __future__ import annotations

from traffic_platform.events.formats import FORMATS
from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.postgres.catalogue import load_catalogue


def test_the_column_of_flags_is_described_by_all_tests() -> None:
    columns = {column.name: column for column in load_catalogue()["processed_events"].columns}
    text = columns["quality_flags"].description
    tests = text.removeprefix("Failed quality tests as bits: ").removesuffix(".").split(", ")
    assert tests == [f"{test.bit} {test.sentence}" for test in QUALITY_TESTS]


def test_the_column_of_the_format_is_described_by_all_formats() -> None:
    columns = {column.name: column for column in load_catalogue()["processed_events"].columns}
    formats = columns["format"].description.removeprefix("Message format: ").removesuffix(".")
    assert formats.split(", ") == [f"{form.number} {form.name}" for form in FORMATS]


def test_every_placeholder_is_filled_in() -> None:
    for table in load_catalogue().values():
        assert not any("{" in column.description for column in table.columns)
