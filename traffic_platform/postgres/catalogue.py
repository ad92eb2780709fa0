"""Descriptions of tables and columns, for PostgreSQL's comments and Dagster's column schemas."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from traffic_platform.events.formats import FORMATS
from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.statements import sql_folder, statement


@dataclass(frozen=True)
class ColumnDoc:
    """A column: its PostgreSQL type and its meaning with unit."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class TableDoc:
    """A table of the schema `traffic`: its meaning, and its columns in order."""

    name: str
    description: str
    columns: tuple[ColumnDoc, ...]


def load_catalogue() -> dict[str, TableDoc]:
    """Read `sql/catalogue.toml`; keys are table names without the schema.

    `{quality_tests}` and `{formats}` in a description become lists of them with their numbers.
    """
    text = (sql_folder() / "catalogue.toml").read_text(encoding="utf-8")
    return {
        name: TableDoc(
            name=name,
            description=table["description"],
            columns=tuple(
                ColumnDoc(column, kind, _fill_in(text))
                for column, (kind, text) in table["columns"].items()
            ),
        )
        for name, table in tomllib.loads(text).items()
    }


def _fill_in(text: str) -> str:
    tests = ", ".join(f"{test.bit} {test.sentence}" for test in QUALITY_TESTS)
    formats = ", ".join(f"{form.number} {form.name}" for form in FORMATS)
    return text.replace("{quality_tests}", tests).replace("{formats}", formats)


def write_comments(connection: psycopg.Connection[Any]) -> None:
    """Write the catalogue as PostgreSQL comments, only those that differ from the current ones.

    `comment on` waits for every transaction that uses the table, such as a roll-up, so an
    unchanged comment is not written again. Raises psycopg.Error.
    """
    rows = connection.execute(statement("postgres/comments")).fetchall()
    written = {(table, column): text for table, column, text in rows}
    for table in load_catalogue().values():
        relation = sql.Identifier("traffic", table.name)
        if written.get((table.name, None)) != table.description:
            comment = sql.SQL("comment on table {} is {}")
            connection.execute(comment.format(relation, sql.Literal(table.description)))
        for column in table.columns:
            if written.get((table.name, column.name)) != column.description:
                name = sql.Identifier("traffic", table.name, column.name)
                comment = sql.SQL("comment on column {} is {}")
                connection.execute(comment.format(name, sql.Literal(column.description)))
