"""The data dictionary in Markdown, generated from the catalogue."""

from __future__ import annotations

from traffic_platform.postgres.catalogue import TableDoc, load_catalogue

_HEAD = """# Data dictionary

Every table of the schema `traffic`. PostgreSQL's comments, Dagster's column schemas and this page
come from `sql/catalogue.toml`. `make docs-generated` writes the page.
"""


def data_dictionary() -> str:
    """Return the page in Markdown: a chapter for each table, a row for each column."""
    return "\n".join([_HEAD, *(_chapter(table) for table in load_catalogue().values())])


def _chapter(table: TableDoc) -> str:
    rows = [
        f"| `{column.name}` | {column.type} | {_cell(column.description)} |"
        for column in table.columns
    ]
    head = [f"## {table.name}", "", table.description, "", "| column | type | meaning |"]
    return "\n".join([*head, "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
