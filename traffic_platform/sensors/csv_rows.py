"""Rows of CSV files, read so that every error names the file, the line and the column.

The standard library's csv reports the line of every row, and a short row is an error here. pandas
does neither.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from traffic_platform.errors import PermanentError

Value = str | int | float | Decimal | None


_SHORTEST_INTERVAL = Decimal("0.001")
_LONGEST_INTERVAL = 2**31 - 1


class TableError(PermanentError):
    """A table with invalid content. The message names the file, line and column."""


@dataclass(frozen=True)
class Row:
    """A row of a CSV file: cells by header, with its file and line."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def error(self, column: str, problem: str) -> TableError:
        """Return the error for a cell of this row; `problem` follows its text."""
        cell = self.cells.get(column, "")
        shown = f" {cell[:60]!r}" if cell else ""
        return TableError(f"{self.path}, line {self.line}, column {column}:{shown} {problem}.")

    def read(self, column: str, convert: Callable[[str], Value]) -> Value:
        """Return the cell's value, None for an empty cell. Raises TableError."""
        text = self.cells.get(column, "")
        if not text:
            return None
        try:
            return convert(text)
        except ValueError as error:
            raise self.error(column, str(error)) from None


def read_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the header, then each row that is not blank: its line and its stripped cells.

    Raises TableError, also for a row that is shorter or longer than the header.
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
    """Yield rows by header. Raises TableError."""
    cells = read_cells(path)
    _, header = next(cells, (0, []))
    for line, texts in cells:
        yield Row(path, line, dict(zip(header, texts, strict=True)))


def _check_header(path: Path, header: list[str]) -> list[str]:
    for name in header:
        if header.count(name) > 1:
            raise TableError(f"{path}, line 1: column {name or '(no name)'} appears twice.")
    return header


def text(cell: str) -> str:
    """Convert text that PostgreSQL can store."""
    if "\0" in cell:
        raise ValueError("contains a NUL character")
    return cell


def number(cell: str) -> float:
    """Convert a finite number."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("is not a number")
    return value


def positive(cell: str) -> float:
    """Convert a number above 0."""
    value = number(cell)
    if value <= 0:
        raise ValueError("is not above 0")
    return value


def seconds(cell: str) -> Decimal:
    """Convert an interval to seconds, exactly and in the shortest form."""
    try:
        value = Decimal(cell)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not value.is_finite():
        raise ValueError("is not a number")
    if not _SHORTEST_INTERVAL <= value <= _LONGEST_INTERVAL:
        raise ValueError(f"is not from {_SHORTEST_INTERVAL} to {_LONGEST_INTERVAL} seconds")
    return Decimal(f"{value.normalize():f}")


def whole(largest: int) -> Callable[[str], int]:
    """Return a converter of whole numbers from 1 to `largest`."""

    def convert(cell: str) -> int:
        value = number(cell)
        if not value.is_integer() or not 1 <= value <= largest:
            raise ValueError(f"is not a whole number from 1 to {largest}")
        return int(value)

    return convert


def flag(cell: str) -> bool:
    """Convert true or false, yes or no, 1 or 0."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    value = known.get(cell.lower())
    if value is None:
        raise ValueError("is neither true nor false")
    return value


def latitude(cell: str) -> float:
    """Convert degrees from -90 to 90."""
    value = number(cell)
    if abs(value) > 90:
        raise ValueError("is not a latitude from -90 to 90")
    return value


def longitude(cell: str) -> float:
    """Convert degrees from -180 to 180."""
    value = number(cell)
    if abs(value) > 180:
        raise ValueError("is not a longitude from -180 to 180")
    return value
