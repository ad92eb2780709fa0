"""Column schemas and column lineage of the tables, for Dagster's catalogue.

The schemas come from `sql/catalogue.toml`, the source of PostgreSQL's comments too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dagster import (
    AssetKey,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableSchema,
)

from traffic_platform.events.measures import MEASURES
from traffic_platform.orchestration.keys import (
    DETECTOR_HEALTH,
    PROCESSED_EVENTS,
    RAW_EVENTS,
    RAW_TOPIC,
    READINGS_5MIN,
    READINGS_DAILY,
    READINGS_HOURLY,
    TRAFFIC_READINGS,
)
from traffic_platform.postgres.catalogue import TableDoc

# The parts of a Kafka record (name, type, meaning); `raw_events` keeps all of them.
RECORD_COLUMNS = (
    ("partition", "int32", "Partition of the topic."),
    ("offset", "int64", "Offset in the partition."),
    ("key", "bytes", "Key; null if the producer sets no key."),
    ("value", "bytes", "The event as JSON, flat or nested."),
    ("headers", "(string, bytes)[]", "Headers in the producer's order."),
    ("timestamp", "int64", "The broker's time of arrival (milliseconds since 1970 UTC)."),
)
KEYS: Mapping[AssetKey, tuple[str, ...]] = {
    RAW_EVENTS: ("topic_no", "partition", "offset"),
    PROCESSED_EVENTS: ("topic_no", "partition", "offset", "event_no"),
    TRAFFIC_READINGS: ("sensor_id", "timestamp"),
    DETECTOR_HEALTH: ("sensor_id", "date"),
    READINGS_5MIN: ("sensor_id", "bucket"),
    READINGS_HOURLY: ("sensor_id", "hour"),
    READINGS_DAILY: ("sensor_id", "date"),
}
_MEASURES = (*(measure.name for measure in MEASURES), "quality_score", "quality_flags")
_DECODED = ("sensor_id", "timestamp", *_MEASURES)
_POSITION = ("topic_no", "partition", "offset")
_TIME = ("timestamp",)
_DIAGNOSED = ("timestamp", "volume", "occupancy")
_MOVING = ("speed", "volume", "quality_flags")
_SUMS = (
    *("interval_s", "samples", "with_volume", "sum_volume", "sum_q", "sum_qv", "min_speed"),
    *("max_speed", "with_occupancy", "sum_occupancy", "good", "observed"),
    *("vmt", "vht", "free_vht", "delay_h"),
)
# The sums from which each ratio of a roll-up is computed.
_RATIOS: Mapping[str, tuple[str, ...]] = {
    "completeness": ("samples",),
    "vehicles": ("sum_volume",),
    "flow": ("sum_volume", "with_volume"),
    "speed": ("sum_qv", "sum_q"),
    "occupancy": ("sum_occupancy", "with_occupancy"),
    "good_share": ("good", "samples"),
    "observed_share": ("observed",),
    "travel_time_index": ("vht", "free_vht"),
}


def _from_readings(
    columns: Mapping[tuple[str, ...], Sequence[str]],
) -> Mapping[str, Iterable[tuple[AssetKey, str]]]:
    """Return the lineage of columns by the columns of readings that they are computed from."""
    return {
        column: [(TRAFFIC_READINGS, name) for name in names]
        for names, computed in columns.items()
        for column in computed
    }


def _summed(
    key: Mapping[str, str], sources: Sequence[AssetKey]
) -> Mapping[str, Iterable[tuple[AssetKey, str]]]:
    """Return the lineage of a roll-up of roll-ups.

    `key` maps its time column to that of the 5-minute rows.
    """
    ratios = {name: [(at, sum_) for at in sources for sum_ in of] for name, of in _RATIOS.items()}
    sums = {name: [(at, name) for at in sources] for name in ("sensor_id", *_SUMS)}
    return {**sums, **ratios, **{mine: [(READINGS_5MIN, its)] for mine, its in key.items()}}


# By table and column, the columns that it is computed from.
_LINEAGE: Mapping[AssetKey, Mapping[str, Iterable[tuple[AssetKey, str]]]] = {
    RAW_EVENTS: {
        **{
            name: [(RAW_TOPIC, name)] for name in ("partition", "offset", "key", "value", "headers")
        },
        "broker_timestamp": [(RAW_TOPIC, "timestamp")],
        "order_time": [(RAW_TOPIC, "timestamp")],
    },
    PROCESSED_EVENTS: {
        **{name: [(RAW_EVENTS, name)] for name in (*_POSITION, "batch_id")},
        **{
            name: [(RAW_EVENTS, "value")]
            for name in (*_DECODED, "format", "event_no", "interval_s")
        },
    },
    TRAFFIC_READINGS: {
        **{
            name: [(PROCESSED_EVENTS, name)]
            for name in (*_POSITION, "event_no", *_DECODED, "interval_s")
        },
        "id": [(PROCESSED_EVENTS, "sensor_id"), (PROCESSED_EVENTS, "timestamp")],
        "broker_timestamp": [(RAW_EVENTS, "broker_timestamp")],
        "order_time": [(RAW_EVENTS, "order_time")],
    },
    DETECTOR_HEALTH: _from_readings(
        {
            ("sensor_id",): ["sensor_id"],
            _TIME: [
                *("date", "scope", "interval_s", "interval_inferred", "readings"),
                *("expected_samples", "longest_gap_s", "last_reading"),
            ],
            _DIAGNOSED: [
                *("diagnosis", "seen", "field", "tests_not_evaluated"),
                *("samples", "samples_percent"),
            ],
            ("occupancy",): ["zero_occupancy_percent", "high_occupancy_percent"],
            ("volume", "occupancy"): [
                "occupancy_without_volume_percent",
                "volume_without_occupancy_percent",
            ],
            ("timestamp", "occupancy"): [
                *("constant_samples", "constant_occupancy", "constant_from"),
            ],
            ("speed", "volume"): ["without_speed_percent"],
            ("timestamp", "volume"): ["vehicles"],
        }
    ),
    READINGS_5MIN: _from_readings(
        {
            ("sensor_id",): ["sensor_id"],
            _TIME: ["bucket", "samples", "completeness"],
            ("volume",): ["with_volume", "sum_volume", "vehicles", "flow"],
            ("occupancy",): ["with_occupancy", "sum_occupancy", "occupancy"],
            ("speed", "volume", "occupancy", "quality_flags"): ["good", "good_share"],
            _MOVING: [
                *("sum_q", "sum_qv", "speed", "min_speed", "max_speed", "observed"),
                *("vmt", "vht", "free_vht", "delay_h", "travel_time_index"),
            ],
        }
    ),
    READINGS_HOURLY: _summed({"hour": "bucket"}, [READINGS_5MIN]),
    READINGS_DAILY: _summed({"date": "bucket"}, [READINGS_HOURLY, READINGS_5MIN]),
}


def table_schema(key: AssetKey, table: TableDoc) -> TableSchema:
    """Return the columns of a table with types and meanings; key columns are not nullable."""
    return TableSchema(
        columns=[
            TableColumn(
                name=column.name,
                type=column.type,
                description=column.description,
                constraints=TableColumnConstraints(nullable=column.name not in KEYS[key]),
            )
            for column in table.columns
        ],
        constraints=TableConstraints(other=[f"primary key ({', '.join(KEYS[key])})"]),
    )


def record_schema() -> TableSchema:
    """Return the parts of a Kafka record as columns."""
    return TableSchema(columns=[TableColumn(*column) for column in RECORD_COLUMNS])


def column_lineage(key: AssetKey) -> TableColumnLineage:
    """Return, for each column, the upstream columns that it comes from."""
    return TableColumnLineage(
        {
            column: [TableColumnDep(asset_key=asset, column_name=name) for asset, name in sources]
            for column, sources in _LINEAGE[key].items()
        }
    )
