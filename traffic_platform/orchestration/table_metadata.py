"""Metadata of tables and checks in Dagster's catalogue: schema, lineage and links to SQL."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from dagster import (
    AssetKey,
    AssetSpec,
    BetaWarning,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
)

from traffic_platform.orchestration.keys import OWNER
from traffic_platform.orchestration.table_columns import column_lineage, table_schema
from traffic_platform.postgres.catalogue import TableDoc, load_catalogue
from traffic_platform.statements import sql_folder


def table_specs(
    tables: Mapping[AssetKey, tuple[Sequence[AssetKey], Sequence[str]]],
    *,
    group: str,
    layer: str | None = None,
) -> list[AssetSpec]:
    """Return specs of tables, given by their upstream assets and the statements that write them.

    `layer` defaults to the first word of each name.
    """
    catalogue = load_catalogue()
    return [
        AssetSpec(
            key=key,
            deps=upstream,
            description=catalogue[key.path[-1]].description,
            skippable=True,
            group_name=group,
            kinds={"postgres", "table"},
            owners=[OWNER],
            tags={"layer": layer or key.path[-1].partition("_")[0]},
            metadata=table_metadata(key, catalogue[key.path[-1]], statements),
        )
        for key, (upstream, statements) in tables.items()
    ]


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
