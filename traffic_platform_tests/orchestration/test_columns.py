"""Column schemas and lineage agree with the tables."""

from __future__ import annotations

import pytest
from dagster import AssetKey, TableColumnLineage, TableSchema

from traffic_platform.orchestration.ingest.event_tables_asset import event_table_specs
from traffic_platform.orchestration.keys import RAW_TOPIC
from traffic_platform.orchestration.rollups.detector_health_asset import detector_health
from traffic_platform.orchestration.rollups.rollup_assets import rollup_specs
from traffic_platform.orchestration.table_columns import RECORD_COLUMNS
from traffic_platform.postgres.catalogue import load_catalogue
from traffic_platform.settings import Settings

HEALTH = detector_health(Settings(_env_file=None))  # pyright: ignore[reportCallIssue]
SPECS = {spec.key: spec for spec in [*event_table_specs(), *HEALTH.specs, *rollup_specs()]}


def columns_of(key: AssetKey) -> set[str]:
    """The columns of a table, or of a Kafka record."""
    if key == RAW_TOPIC:
        return {name for name, *_ in RECORD_COLUMNS}
    return {column.name for column in load_catalogue()[key.path[-1]].columns}


@pytest.mark.parametrize("key", SPECS)
def test_every_column_is_in_the_schema_with_its_meaning(key: AssetKey) -> None:
    schema = SPECS[key].metadata["dagster/column_schema"]
    assert isinstance(schema, TableSchema)
    assert {column.name for column in schema.columns} == columns_of(key)
    assert all(column.description for column in schema.columns)


@pytest.mark.parametrize("key", SPECS)
def test_lineage_names_only_columns_that_exist(key: AssetKey) -> None:
    lineage = SPECS[key].metadata["dagster/column_lineage"]
    assert isinstance(lineage, TableColumnLineage)
    assert set(lineage.deps_by_column) <= columns_of(key)
    for sources in lineage.deps_by_column.values():
        for source in sources:
            assert source.column_name in columns_of(source.asset_key)


@pytest.mark.parametrize("key", SPECS)
def test_every_measure_and_key_has_a_source(key: AssetKey) -> None:
    lineage = SPECS[key].metadata["dagster/column_lineage"]
    ours = {
        "topic_no",
        "batch_id",
        "ingested_at",
        "created_at",
        "updated_at",
        "rural",
        "computed_at",
        "expected_samples",  # of roll-ups: interval_s alone
        "interval_s",
    }
    assert columns_of(key) - set(lineage.deps_by_column) <= ours
