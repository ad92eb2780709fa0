"""Metadata of tables and checks in Dagster's catalogue: schema, lineage and links to SQL."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from dagster import (
    AssetKey,
    BetaWarning,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
)

from traffic_platform.orchestration.table_columns import column_lineage, table_schema
from traffic_platform.postgres.catalogue import TableDoc
from traffic_platform.statements import sql_folder


def table_metadata(key: AssetKey, table: TableDoc, statements: Sequence[str]) -> dict[str, Any]:
    """Return name, columns, lineage and SQL of the table that the statements write."""
    return {
        "dagster/table_name": f"traffic.{table.name}",
        "dagster/column_schema": table_schema(key, table),
        "dagster/column_lineage": column_lineage(key),
        **sql_links(statements),
    }


def sql_links(statements: Sequence[str]) -> dict[str, Any]:
    """Return links to the SQL files behind an asset or a check; names as in `statement()`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        references = CodeReferencesMetadataValue(
            code_references=[
                LocalFileCodeReference(
                    file_path=str(sql_folder() / f"{name}.sql"), line_number=1, label=name
                )
                for name in statements
            ]
        )
    return {
        "sql": ", ".join(f"sql/{name}.sql" for name in statements),
        "dagster/code_references": references,
    }
