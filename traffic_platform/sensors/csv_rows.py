"""Reads CSV files row by row; every error names the file, the line and the column.

csv rather than pandas: it knows the line of every row, and a short row is an error here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from traffic_platform.errors import PermanentError

Value = str | int | float | None


class TableError(PermanentError):
    """A table cannot be read as what it should hold; the message says where."""


@dataclass(frozen=True)
class Row:
    """One row of a CSV file, by header, with where it stands."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def refuse(self, column: str, what: str) -> TableError:
        """The error for a cell of this row."""
        cell = self.cells.get(column, "")
        shown = f" {cell[:60]!r}" if cell else ""
        return TableError(f"{self.path}, line {self.line}, column {column}:{shown} {what}.")

    def read(self, column: str, convert: Callable[[str], Value]) -> Value:
        """The cell's value, None where it is empty."""
        text = self.cells.get(column, "")
        if not text:
            return None
        try:
            return convert(text)
        except ValueError as error:
            raise self.refuse(column, str(error)) from None


def read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header, then each row that is not blank: its line, and its cells without outer blanks.

    Raises TableError; a row that is shorter or longer than the header is one.
    """
    header: list[str] | None = None
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
            for row in reader:
                line = reader.line_num
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if header is None:
                    header = _check_header(path, cells)
                elif len(cells) != len(header):
                    raise TableError(
                        f"{path}, line {line}: {len(cells)} cells, "
                        f"but the header has {len(header)}."
                    )
                yield line, cells
    except csv.Error as error:
        raise TableError(f"{path}, line {line + 1}: {error}.") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is not UTF-8 text ({error.reason}).") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}.") from None


def read_rows(path: Path) -> Iterator[Row]:
    """Rows by header. Raises TableError."""
    cells = read_cells(path)
    _, header = next(cells, (0, []))
    for line, texts in cells:
        yield Row(path, line, dict(zip(header, texts, strict=True)))


def _check_header(path: Path, header: list[str]) -> list[str]:
    for name in header:
        if header.count(name) > 1:
            raise TableError(f"{path}, line 1: column {name or '(no name)'} stands twice.")
    return header


def text(cell: str) -> str:
    """Any text that PostgreSQL can hold."""
    if "\0" in cell:
        raise ValueError("holds a NUL character")
    return cell


def number(cell: str) -> float:
    """A finite number."""
    try:
        value = float(cell)
    except ValueError:
        raise ValueError("is no number") from None
    if not math.isfinite(value):
        raise ValueError("is no number")
    return value


def positive(cell: str) -> float:
    """A number above 0."""
    value = number(cell)
    if value <= 0:
        raise ValueError("is not above 0")
    return value


def whole(largest: int) -> Callable[[str], int]:
    """A whole number from 1 to `largest`."""

    def convert(cell: str) -> int:
        value = number(cell)
        if not value.is_integer() or not 1 <= value <= largest:
            raise ValueError(f"is no whole number from 1 to {largest}")
        return int(value)

    return convert


def flag(cell: str) -> bool:
    """true or false, yes or no, 1 or 0."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    value = known.get(cell.lower())
    if value is None:
        raise ValueError("is neither true nor false")
    return value


def latitude(cell: str) -> float:
    """Degrees from -90 to 90."""
    value = number(cell)
    if abs(value) > 90:
        raise ValueError("is no latitude from -90 to 90")
    return value


def longitude(cell: str) -> float:
    """Degrees from -180 to 180."""
    value = number(cell)
    if abs(value) > 180:
        raise ValueError("is no longitude from -180 to 180")
    return value
