"""Statements are loaded with their shared parts and a line for each measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic_platform import statements
from traffic_platform.events.measures import MEASURES
from traffic_platform.statements import sql_folder, statement

NAMES = [
    str(path.relative_to(sql_folder()).with_suffix(""))
    for path in sorted(sql_folder().rglob("*.sql"))
    if "migrations" not in path.parts
]


def load(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the expanded text of a statement."""
    (folder / "it.sql").write_text(text)
    monkeypatch.setattr(statements, "sql_folder", lambda: folder)
    monkeypatch.setattr(statements, "MEASURES", MEASURES[:3])
    return statement.__wrapped__("it")


def test_a_line_is_repeated_for_each_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "select\n  --| measures {m} {type},\n  x\n"
    assert load(text, tmp_path, monkeypatch) == (
        "select\n  speed double precision,\n  volume integer,\n  occupancy double precision,\n  x\n"
    )


def test_a_separator_stands_between_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "--| measures[ +] {send}({m}) * {bit}\n"
    assert load(text, tmp_path, monkeypatch) == (
        "float8send(speed) * 1 +\nint4send(volume) * 2 +\nfloat8send(occupancy) * 4\n"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_directive_of_a_statement_is_replaced(name: str) -> None:
    assert "--|" not in statement(name)  # pyright: ignore[reportArgumentType]
