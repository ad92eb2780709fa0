"""Descriptions in the catalogue name every quality test."""

from __future__ import annotations

from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.postgres.catalogue import load_catalogue


def test_the_column_of_flags_is_described_by_all_tests() -> None:
    columns = {column.name: column for column in load_catalogue()["processed_events"].columns}
    text = columns["quality_flags"].description
    tests = text.removeprefix("Failed quality tests as bits: ").removesuffix(".").split(", ")
    assert tests == [f"{test.bit} {test.sentence}" for test in QUALITY_TESTS]


def test_every_placeholder_is_filled_in() -> None:
    for table in load_catalogue().values():
        assert not any("{" in column.description for column in table.columns)
