"""Python columns, formats and catalogue know the measures of the list."""

from __future__ import annotations

import numpy as np
import pytest

from traffic_platform.events.formats import FORMATS
from traffic_platform.events.measures import MEASURES, Measures
from traffic_platform.postgres.catalogue import load_catalogue

NAMES = [measure.name for measure in MEASURES]


def test_the_columns_in_python_are_the_measures() -> None:
    assert list(Measures._fields) == NAMES


def test_attributes_become_the_columns_of_their_name() -> None:
    class Event:
        pass

    event = Event()
    for number, name in enumerate(NAMES):
        setattr(event, name, float(number))
    assert [column.tolist() for column in Measures.of([event])] == [[n] for n in range(len(NAMES))]


@pytest.mark.parametrize("table", ["processed_events", "traffic_readings"])
def test_the_tables_have_a_column_of_its_type_for_each_measure(table: str) -> None:
    columns = {column.name: column.type for column in load_catalogue()[table].columns}
    names = list(columns)
    start = names.index("timestamp") + 1
    assert set(NAMES) <= set(names)
    assert names[start] == NAMES[0]
    assert {name: columns[name] for name in NAMES} == {
        measure.name: measure.sql_type for measure in MEASURES
    }


def test_every_format_has_a_place_for_each_measure() -> None:
    for form in FORMATS:
        assert len(form.paths) == len(MEASURES)
        assert form.template.count(b"%b") == 2 + len(MEASURES)


def test_rows_are_concatenated_measure_by_measure() -> None:
    parts = [Measures(*(np.full(size, size, dtype=np.float64) for _ in NAMES)) for size in (1, 2)]
    assert all(column.tolist() == [1, 2, 2] for column in Measures.concatenate(parts))
