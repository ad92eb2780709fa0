"""The Kafka topics as assets outside Dagster, where lineage begins."""

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
    """Return the topics that others write; `publish/` has the clean stream while it publishes."""
    raw = _topic(
        RAW_TOPIC,
        settings.raw_topic,
        "The events that detectors send, in flat or nested JSON, as they arrive.",
    )
    return [raw] if settings.publish else [raw, events_topic_spec(settings)]


def events_topic_spec(settings: Settings) -> AssetSpec:
    """Return the clean stream."""
    return _topic(
        EVENTS_TOPIC,
        settings.events_topic,
        "The clean stream for other consumers: flat events, each once. Others may publish here too;"
        " their events are ingested like those of the raw topic.",
        upstream=[PROCESSED_EVENTS] if settings.publish else [],
    )


def _topic(
    key: AssetKey, topic: str, description: str, upstream: Sequence[AssetKey] = ()
) -> AssetSpec:
    return AssetSpec(
        key=key,
        deps=upstream,
        skippable=bool(upstream),
        description=description,
        group_name=TOPICS_GROUP,
        kinds={"kafka"},
        owners=[OWNER],
        tags={"layer": "stream"},
        metadata={"topic": topic, "dagster/column_schema": record_schema()},
    )
