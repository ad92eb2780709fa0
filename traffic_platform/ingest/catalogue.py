"""What every table and column means: one source for PostgreSQL's comments and Dagster's schemas."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from psycopg import sql

from traffic_platform.statements import sql_folder


@dataclass(frozen=True)
class ColumnDoc:
    """A column: its PostgreSQL type and its meaning with unit."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class TableDoc:
    """A table of the schema `traffic`: its meaning and its columns in their order."""

    name: str
    description: str
    columns: tuple[ColumnDoc, ...]


def load_catalogue() -> dict[str, TableDoc]:
    """Read `sql/catalogue.toml`; keys are table names without the schema."""
    text = (sql_folder() / "catalogue.toml").read_text(encoding="utf-8")
    return {
        name: TableDoc(
            name=name,
            description=table["description"],
            columns=tuple(ColumnDoc(column, *doc) for column, doc in table["columns"].items()),
        )
        for name, table in tomllib.loads(text).items()
    }


def comment_statements() -> list[sql.Composed]:
    """The statements that write the catalogue into PostgreSQL as comments."""
    statements: list[sql.Composed] = []
    for table in load_catalogue().values():
        relation = sql.Identifier("traffic", table.name)
        statements.append(
            sql.SQL("comment on table {} is {}").format(relation, sql.Literal(table.description))
        )
        statements.extend(
            sql.SQL("comment on column {} is {}").format(
                sql.Identifier("traffic", table.name, column.name), sql.Literal(column.description)
            )
            for column in table.columns
        )
    return statements
