"""The Kafka topics, as assets that live outside Dagster: where lineage begins."""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetKey, AssetSpec

from traffic_platform.orchestration.keys import (
    EVENTS_TOPIC,
    OWNER,
    PROCESSED_EVENTS,
    RAW_TOPIC,
    TOPICS_GROUP,
)
from traffic_platform.orchestration.table_columns import record_schema
from traffic_platform.settings import Settings


def topic_specs(settings: Settings) -> list[AssetSpec]:
    """The topics that others write: external assets. See `publishing` for the clean stream."""
    raw = _topic(
        RAW_TOPIC,
        settings.raw_topic,
        "What detectors publish: flat and nested JSON events, as they come.",
    )
    return [raw] if settings.publish else [raw, events_topic_spec(settings)]


def events_topic_spec(settings: Settings) -> AssetSpec:
    """The clean stream."""
    return _topic(
        EVENTS_TOPIC,
        settings.events_topic,
        "The clean stream: flat events, each once, for other consumers. Others may publish here, "
        "too; their events are ingested like those of the raw topic.",
        before=[PROCESSED_EVENTS] if settings.publish else [],
    )


def _topic(
    key: AssetKey, topic: str, description: str, before: Sequence[AssetKey] = ()
) -> AssetSpec:
    return AssetSpec(
        key=key,
        deps=before,
        skippable=bool(before),
        description=description,
        group_name=TOPICS_GROUP,
        kinds={"kafka"},
        owners=[OWNER],
        tags={"layer": "stream"},
        metadata={"topic": topic, "dagster/column_schema": record_schema()},
    )
